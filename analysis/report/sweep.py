"""The section of one sweep: its tables, comparisons, search, figures and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.figures import Drawing
from analysis.formats.html import html_table
from analysis.report.figures import figures
from analysis.report.markup import Html, element, folded, listing, scrolling
from analysis.report.phrases import counted
from analysis.report.rows import RowTrials, configs, trials_of
from analysis.report.search import search_part
from analysis.report.stills import Stills
from analysis.results import Results
from analysis.sheets import Sheet, comparison_sheets, table_sheets
from analysis.summary import Summary, summarise
from analysis.verdicts import verdicts

CAPTION = "Mean ± standard deviation over the n trials of a row; the best bold, the second underlined"


def section(results: Results, place: str, links: Mapping[str, str], stills: Stills, own: Mapping[str, Drawing]) -> Html:
    """Return the section of one sweep.

    Args:
        results: the sweep.
        place: id of the section.
        links: addresses of tracked trials by label.
        stills: the static figures of the page.
        own: figures of the sweep's trainable, by name.

    Raises NoTable if the results cannot be read as a table.
    """
    summary = summarise(results)
    rows = trials_of(results, summary)
    return element(
        "section",
        element("h2", results.name),
        element("p", _design(results, rows), class_="quiet"),
        *_tables(summary, rows, place),
        *search_part(results, place, stills),
        *_comparisons(summary),
        figures(results, place, stills, own),
        *([configs(results, rows, place, links)] if rows else []),
        id=place,
        class_="sweep",
    )


def _design(results: Results, rows: Sequence[RowTrials]) -> str:
    described = results.described
    trials = sum(len(row.trials) for row in rows)
    design = f"{counted(len(rows), 'row')} by {' and '.join(described.rows)}, {counted(trials, 'trial')}"
    return f"{design}, averaged over {' and '.join(described.seeds)}."


def _tables(summary: Summary, rows: Sequence[RowTrials], place: str) -> list[Html]:
    """Return the table, with rows linked to their configs; or a grid for every column."""
    sheets = table_sheets(summary)
    if summary.described.across is None:
        tables = [_linked(replace(sheet, title=CAPTION), rows, place) for sheet in sheets]
    else:
        tables = [scrolling(Html(html_table(sheet))) for sheet in sheets]
    return [*tables, *([listing(summary.notes, class_="notes")] if summary.notes else [])]


def _linked(sheet: Sheet, rows: Sequence[RowTrials], place: str) -> Html:
    """Return the sheet, with each row's name linked to its config and followed by the reasons for missing trials."""
    head, body, lines = html_table(sheet).partition("<tbody>\n")
    written = lines.split("\n")
    for index, row in enumerate(rows):
        # Text of the table is escaped: the last ">" before the end of the names is that of the element around the name.
        before, end, after = written[index].rpartition("</th>")
        start, mark, name = before.rpartition(">")
        why = element("small", row.told) if row.told else ""
        written[index] = f'{start}{mark}<a href="#{place}-row-{index}">{name}</a>{why}{end}{after}'
    return scrolling(Html(head + body + "\n".join(written)))


def _comparisons(summary: Summary) -> list[Html]:
    found = verdicts(summary)
    if not found:
        return []
    sheets = [scrolling(Html(html_table(sheet))) for sheet in comparison_sheets(summary)]
    return [
        element("h3", "Against the baseline"),
        listing((f"{sentence}." for sentence in found), class_="verdicts"),
        folded("Paired differences, intervals and p-values", *sheets),
    ]
