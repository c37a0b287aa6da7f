"""The part of a sweep's section about its search: settings, findings and all suggestions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.figures import FIGURES
from analysis.findings import NOTHING, importances, volumes
from analysis.report.figures import SEARCHED, drawn_of
from analysis.report.markup import Cell, Html, element, folded, grid
from analysis.report.phrases import counted, duration
from analysis.report.stills import Stills
from analysis.results import Number, Results
from analysis.search import Search, Study, Suggestion
from analysis.verdicts import listed


def search_part(results: Results, place: str, stills: Stills) -> list[Html]:
    """Return the part about the search; nothing for a space that lists its trials.

    Args:
        results: the sweep.
        place: prefix of the figures' ids.
        stills: the static figures of the page.
    """
    search = results.search
    if search is None:
        return []
    found = (volumes(search) or "") if search.chosen else NOTHING
    return [
        element("h3", "Search"),
        element("p", f"{_asked(search)} {_became(search)}"),
        *([element("p", f"{found[0].upper()}{found[1:]}.")] if found else []),
        _names(search),
        *drawn_of(results, {name: FIGURES[name] for name in SEARCHED}, place, stills)[1],
        *_every(results, search),
    ]


def _asked(search: Search) -> str:
    aims = listed([f"{sense} {name}" for name, sense in search.objectives.items()])
    stopped = f"; the pruner {search.pruner} stopped unpromising ones" if search.pruner else ""
    where = f" in each of {len(search.studies):,} studies" if len(search.studies) > 1 else ""
    return (
        f"The goal was to {aims} with {counted(search.trials, 'suggestion')} of the sampler {search.sampler}{where}"
        f"{stopped}."
    )


def _became(search: Search) -> str:
    """Describe how many suggestions are in each state, and how much time they took."""
    every = [each for study in search.studies for each in study.suggestions]
    states = Counter(each.state for each in every)
    told = f": {', '.join(f'{count:,} {state}' for state, count in states.most_common())}" if states else ""
    spent = duration(sum(each.seconds or 0.0 for each in every))
    return (
        f"{counted(len(every), 'suggestion')} so far{told}. They took {spent} of stage time, not counting stages that "
        "other trials had already run."
    )


def _names(search: Search) -> Html:
    """Return a table of the distributions of searched names, and their importance for every objective."""
    shares = {
        _of(study.label, objective): importances(search, study, objective)
        for objective in search.objectives
        for study in search.studies
    }
    known = {head: found for head, found in shares.items() if found}
    lines = [
        (name, [Cell.of(values), *(_share(found.get(name)) for found in known.values())])
        for name, values in search.distributions.items()
    ]
    return grid("Searched names", ["name", "values", *(f"importance for {head}" for head in known)], lines)


def _share(value: float | None) -> Cell:
    return Cell("unknown", None) if value is None else Cell(f"{value:.2f}", value)


def _every(results: Results, search: Search) -> list[Html]:
    """Return all suggestions of every study, folded."""
    known = [study for study in search.studies if study.suggestions]
    heads = [_of(each.label, f"{counted(len(each.suggestions), 'suggestion')} with all values") for each in known]
    return [folded(head, _list(results, search, each)) for head, each in zip(heads, known, strict=True)]


def _list(results: Results, search: Search, study: Study) -> Html:
    shown = {each.number for each in search.chosen_of(study)}
    lines = [
        (
            str(each.number),
            [
                Cell.of(f"{each.state}, in the table" if each.number in shown else each.state),
                *_numbers(results, each),
                *_values(each.params),
                Cell.of(each.cause or ""),
            ],
        )
        for each in study.suggestions
    ]
    titles = [results.described.number(name).title for name in search.objectives]
    heads = ["suggestion", "state", *titles, "seeds", "seconds", *search.distributions, "cause"]
    return grid(_of(study.label, "suggestions in order"), heads, lines)


def _numbers(results: Results, suggestion: Suggestion) -> list[Cell]:
    values = [_value(results.described.number(name), value) for name, value in suggestion.values.items()]
    spent = Cell("", None) if suggestion.seconds is None else Cell(f"{suggestion.seconds:,.1f}", suggestion.seconds)
    return [*values, Cell(str(suggestion.seeds), suggestion.seeds), spent]


def _value(number: Number, value: float | None) -> Cell:
    if value is None:
        return Cell("", None)
    decimals = 0 if number.kind == "fact" and value % 1 == 0 else number.decimals
    return Cell(f"{value:,.{decimals}f}", value)


def _values(params: Mapping[str, Any]) -> Sequence[Cell]:
    return [
        Cell("", None, number=False) if value is None else Cell(str(value), _sortable(value), number=False)
        for value in params.values()
    ]


def _sortable(value: Any) -> float | str:
    return value if isinstance(value, int | float | str) else str(value)


def _of(study: str, what: str) -> str:
    return f"{study}: {what}" if study else what
