"""Every table of the paper in every format, on a fixed set of results."""

import pytest

from analysis.formats import FORMATS, Format
from sweeper.cli import table as results
from tests.analysis.tables import TABLES, printed, snapshot


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_paper_is_as_it_was_last_looked_at(table: str, how: Format) -> None:
    assert printed(table, how) == snapshot(table, how).read_text()


def test_every_table_of_the_paper_is_among_them() -> None:
    assert TABLES == [
        "cost",
        "final",
        "functions",
        "layer_selection",
        "operations",
        "peft",
        "quality",
        "reduction_ratio",
        "solver_nfe",
    ]


def test_the_command_line_offers_every_format() -> None:
    assert results.FORMATS == FORMATS
