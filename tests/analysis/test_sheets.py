from pathlib import Path

from analysis.sheets import Sheet, comparison_sheets, table_sheets
from analysis.summary import summarise
from tests.analysis.sweeps import UNRUN, publish, write_sweep


def trial(case: str, seed: int, la: float | None, **more: object) -> dict[str, object]:
    return {"case": case, "seed": seed, "la": la} | more


def sheets(directory: Path, trials: list[dict[str, object]], **described: object) -> list[Sheet]:
    names = {"rows": "case", "design": ["case"], "columns": ["la"]}
    return table_sheets(summarise(write_sweep(directory, trials, **names | described)))


def ranks(sheet: Sheet) -> dict[str, int]:
    return {line.entries[0].text: line.entries[1].rank for line in sheet.lines}


def test_the_best_and_the_second_are_marked_by_what_the_column_means(tmp_path: Path) -> None:
    trials = [trial(case, 0, la, fm_loss=la) for case, la in (("a", 1.0), ("b", 3.0), ("c", 2.0))]
    assert ranks(sheets(tmp_path / "high", trials)[0]) == {"a": 0, "b": 1, "c": 2}
    assert ranks(sheets(tmp_path / "low", trials, columns=["fm_loss"])[0]) == {"a": 1, "b": 0, "c": 2}


def test_rows_that_are_printed_alike_are_marked_alike(tmp_path: Path) -> None:
    trials = [trial(case, 0, la) for case, la in (("a", 3.001), ("b", 3.0), ("c", 2.0), ("d", 1.0))]
    assert ranks(sheets(tmp_path, trials)[0]) == {"a": 1, "b": 1, "c": 2, "d": 0}


def test_a_row_that_is_not_whole_and_a_bound_are_never_the_best(tmp_path: Path) -> None:
    trials = [
        trial("limit", 0, 99.0),
        trial("half", 0, 98.0),
        trial("half", 1, None, **UNRUN),
        trial("a", 0, 1.0),
        trial("b", 0, 2.0),
    ]
    (sheet,) = sheets(tmp_path, trials, bounds=["limit"])
    assert ranks(sheet) == {"limit": 0, "half": 0, "a": 2, "b": 1}
    assert [line.entries[1].whole for line in sheet.lines] == [True, False, True, True]


def test_a_column_that_is_neither_better_nor_worse_has_no_best(tmp_path: Path) -> None:
    trials = [trial(case, 0, 1.0, nfe=float(place)) for place, case in enumerate("abc")]
    assert set(ranks(sheets(tmp_path, trials, columns=["nfe"])[0]).values()) == {0}


def test_a_rule_stands_between_bounds_rows_and_what_only_the_paper_has(tmp_path: Path, monkeypatch) -> None:
    printed = {"data": "Digits", "others": ["rival"], "la": {"rival": 12.5, "a": 3.0}}
    publish(monkeypatch, "final", digits=printed)
    trials = [trial("limit", 0, 99.0), trial("a", 0, 1.0), trial("b", 0, 2.0)]
    (sheet,) = sheets(tmp_path, trials, bounds=["limit"], published="paper/final")
    assert [line.apart for line in sheet.lines] == [False, True, False, True]
    assert [[entry.text for entry in line.entries] for line in sheet.lines] == [
        ["limit", "99.00 (n=1)", "—"],
        ["a", "1.00 (n=1)", "3.0"],
        ["b", "2.00 (n=1)", "—"],
        ["rival", "not run", "12.5"],
    ]


GRID = [
    {"chunks": chunks, "points": points, "seed": 0, "la": 10.0 * chunks + points}
    for chunks in (1, 2)
    for points in (2, 10)
    if (chunks, points) != (2, 10)
]
ACROSS = {"rows": ["chunks", "points"], "design": ["chunks", "points"], "across": "points"}


def test_values_across_stand_side_by_side_and_what_is_no_row_stays_empty(tmp_path: Path) -> None:
    (sheet,) = sheets(tmp_path, GRID, **ACROSS)
    assert sheet.title == "layer_selection: LA %, by points"
    assert (sheet.heads, sheet.names) == (["chunks", "2", "10"], 1)
    assert [[entry.text for entry in line.entries] for line in sheet.lines] == [
        ["1", "12.00 (n=1)", "20.00 (n=1)"],
        ["2", "22.00 (n=1)", ""],
    ]
    assert [[entry.rank for entry in line.entries] for line in sheet.lines] == [[0, 0, 2], [0, 1, 0]]


def test_a_grid_has_a_sheet_for_every_column_and_its_published_values(tmp_path: Path, monkeypatch) -> None:
    publish(monkeypatch, "grid", digits={"data": "Digits", "la": {1: {2: 56.27, 10: 63.0}}})
    trials = [row | {"nfe": 4.0} for row in GRID]
    found = sheets(tmp_path, trials, columns=["nfe", "la"], published="paper/grid", **ACROSS)
    assert [sheet.title.partition(": ")[2] for sheet in found] == [
        "evaluations, by points",
        "LA %, by points",
        "LA % published, by points",
    ]
    assert [entry.text for entry in found[2].lines[0].entries] == ["1", "56.27", "63.00"]


def test_a_difference_of_nothing_has_no_sign_of_its_own(tmp_path: Path) -> None:
    trials = [trial("a", 0, 1.0), trial("a", 1, 2.0), trial("b", 0, 0.998), trial("b", 1, 2.0)]
    names = {"rows": "case", "design": ["case"], "columns": ["la"], "baseline": {"case": "a"}}
    (sheet,) = comparison_sheets(summarise(write_sweep(tmp_path, trials, **names)))
    assert [entry.text for entry in sheet.lines[0].entries[:4]] == ["b", "a", "2", "+0.00"]
