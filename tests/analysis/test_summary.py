import ast
import csv
import io
import json
import statistics
from pathlib import Path

import pytest
from inline_snapshot import snapshot

import analysis
from analysis.formats import render
from analysis.results import NoTable, read_results
from analysis.summary import Summary, summarise
from tests.analysis.sweeps import KILLED, UNRUN, publish, write_sweep
from tests.masked import masked

Row = dict[str, object]


def trial(layers: str, seed: int, ppc: int, la: float | None, aia: float | None, **more: object) -> Row:
    row = {"trial": f"{layers} · seed {seed}", "status": "finished", "cause": None, "adapter.layers": layers}
    return row | {"seed": seed, "ppc": ppc, "la": la, "aia": aia} | more


FINISHED = [
    trial("0-64", 0, 34054, 80.0, 90.25),
    trial("0-64", 1, 34054, 82.0, 90.75),
    trial("40-54", 0, 9728, 71.5, 81.0),
    trial("40-54", 1, 9728, 71.5, 84.0),
]


def summary(directory: Path, trials: list[Row], **table: object) -> Summary:
    """The summary of trials that were written as a sweep's results."""
    return summarise(write_sweep(directory, trials, **{"published": "funlora/layer_selection"} | table))


def test_mean_and_deviation_are_those_of_the_statistics_module(tmp_path) -> None:
    values = {"a": [71.3, 74.9, 70.2, 77.7], "b": [12.5, 99.0, 13.1], "c": [5.25]}
    trials = [trial(name, seed, 1, la, la / 3) for name, each in values.items() for seed, la in enumerate(each)]
    rows = {row.axes["adapter.layers"]: row.cells for row in summary(tmp_path, trials).rows}
    for name, each in values.items():
        assert rows[name]["la"].mean == pytest.approx(statistics.mean(each))
        assert rows[name]["la"].n == rows[name]["la"].trials == len(each)
    assert rows["a"]["la"].std == pytest.approx(statistics.stdev(values["a"]))
    assert rows["b"]["aia"].std == pytest.approx(statistics.stdev(la / 3 for la in values["b"]))
    assert rows["c"]["la"].std is None
    assert rows["c"]["la"].text() == "5.25 (n=1)"


def test_a_row_that_is_not_whole_says_how_much_of_it_is_there_and_why(tmp_path) -> None:
    trials = [FINISHED[0], trial("0-64", 1, 34054, None, None, **KILLED), *FINISHED[2:]]
    found = summary(tmp_path, trials)
    assert found.rows[0].cells["la"].text() == "80.00 (n=1 of 2)"
    assert found.rows[1].cells["aia"].text() == "82.50 ± 2.12 (n=2)"
    assert found.notes[1:] == ["0-64 · seed 1: the loss is nan at step 40 of 600"]


def test_a_row_without_any_result_is_missing_and_never_a_number(tmp_path) -> None:
    found = summary(tmp_path, [*FINISHED[:2], trial("40-54", 0, 9728, None, None, **UNRUN)])
    assert [cell.text() for cell in found.rows[1].cells.values()] == ["9728", "missing", "missing"]
    assert found.notes[1:] == ["40-54 · seed 0: not run yet"]


def test_before_anything_has_finished_every_metric_is_missing(tmp_path) -> None:
    trials = [trial("0-64", seed, 34054, None, None, **UNRUN) for seed in (0, 1)]
    for row in trials:
        del row["la"], row["aia"]
    found = summary(tmp_path, trials)
    assert [cell.text() for cell in found.rows[0].cells.values()] == ["34054", "missing", "missing"]
    assert found.rows[0].cells["la"].n == 0
    assert found.notes[1:] == ["0-64 · seed 0, 0-64 · seed 1: not run yet"]
    assert render(found, "csv").splitlines()[1] == "0-64,34054,0.0,2,2,34054,,,0,2,,,0,2"


def test_a_note_names_four_trials_of_a_cause_and_counts_the_rest(tmp_path) -> None:
    waiting = [trial("a", seed, 1, None, None, **UNRUN) for seed in range(6)]
    found = summary(tmp_path, [trial("a", 9, 1, None, None, **KILLED), *waiting], published=None)
    assert found.notes == [
        "a · seed 9: the loss is nan at step 40 of 600",
        "a · seed 0, a · seed 1, a · seed 2, a · seed 3 and 2 more: not run yet",
    ]


def test_published_values_stand_beside_and_lost_ones_in_the_note(tmp_path) -> None:
    found = summary(tmp_path, FINISHED)
    assert [row.published for row in found.rows] == [
        {"ppc": 34054, "la": None, "aia": None},
        {"ppc": 9728, "la": None, "aia": None},
    ]
    assert found.published == ["ppc"]
    assert found.notes == ["published: CIFAR-100, Table I, vanilla multiplicative rank-1 adapters; lost: LA %, AIA %"]


def test_a_row_that_the_paper_lacks_is_marked_and_given_no_number(tmp_path) -> None:
    found = summary(tmp_path, [*FINISHED, trial("1-2", 0, 512, 50.0, 60.0)])
    assert found.rows[2].published["ppc"] is None
    assert "| 1-2 | 512 | — |" in render(found, "md")


def test_without_published_values_there_is_no_column_and_no_note(tmp_path) -> None:
    found = summary(tmp_path, FINISHED, published=None)
    assert found.notes == []
    assert "published" not in render(found, "text") + render(found, "md") + render(found, "csv")


def test_rows_keep_the_order_of_the_sweep_and_may_have_several_names(tmp_path) -> None:
    trials = [
        trial(layers, seed, 1, 10.0 * seed + len(layers), 1.0) | {"solver.method": method}
        for layers in ("b", "aa")
        for method in ("rk4", "euler")
        for seed in (1, 2)
    ]
    found = summary(tmp_path, trials, rows=["adapter.layers", "solver.method"], published=None)
    assert [tuple(row.axes.values()) for row in found.rows] == [
        ("b", "rk4"),
        ("b", "euler"),
        ("aa", "rk4"),
        ("aa", "euler"),
    ]
    assert [row.cells["la"].mean for row in found.rows] == [16.0, 16.0, 17.0, 17.0]


CASES = [
    trial(layers, 0, ppc, 50.0, 60.0, case=case)
    for case, factor in (("rshift", 1), ("cosine", 2))
    for layers, ppc in (("0-64", 100 * factor), ("40-54", 10 * factor))
]


def test_rows_lie_together_by_the_first_of_their_names(tmp_path) -> None:
    found = summary(tmp_path, CASES, rows=["adapter.layers", "case"], published=None)
    assert [tuple(row.axes.values()) for row in found.rows] == [
        ("0-64", "rshift"),
        ("0-64", "cosine"),
        ("40-54", "rshift"),
        ("40-54", "cosine"),
    ]


def test_published_values_are_found_by_every_row_name_in_their_order(tmp_path, monkeypatch) -> None:
    printed = {
        "data": "Digits",
        "ppc": {"0-64": {"rshift": 111, "cosine": 222}, "40-54": {"cosine": 22}},
        "la": {"rshift": {"0-64": 1.0}},
        "aia": {"0-64": 3.0},
    }
    publish(monkeypatch, "functions", digits=printed)
    table = {"rows": ["adapter.layers", "case"], "published": "paper/functions"}
    assert [row.published for row in summary(tmp_path, CASES, **table).rows] == [
        {"ppc": 111, "la": None, "aia": None},
        {"ppc": 222, "la": None, "aia": None},
        {"ppc": None, "la": None, "aia": None},
        {"ppc": 22, "la": None, "aia": None},
    ]


def test_seconds_are_titled_by_the_part_of_the_run(tmp_path) -> None:
    spent = {"seconds": 9.5, "seconds_saved": 3.0, "seconds.sampling": 4.25}
    trials = [trial("0-64", 0, 34054, 80.0, 90.0, **spent)]
    found = summary(tmp_path, trials, columns=["seconds.sampling", "seconds", "seconds_saved"], published=None)
    assert render(found, "md").splitlines()[2] == "| adapter.layers | sampling s | seconds | seconds saved |"
    assert render(found, "csv").startswith("adapter.layers,seconds.sampling,")


def test_a_list_can_name_a_row(tmp_path) -> None:
    trials = [trial("x", seed, 1, 2.0, 3.0) | {"backbone.channel_mult": [1, 2 + seed]} for seed in (0, 1, 0)]
    found = summary(tmp_path, trials, rows="backbone.channel_mult", published=None)
    assert [(row.axes["backbone.channel_mult"], row.cells["la"].trials) for row in found.rows] == [
        ("[1, 2]", 2),
        ("[1, 3]", 1),
    ]


def test_all_formats_tell_the_same_numbers(tmp_path) -> None:
    found = summary(tmp_path, [FINISHED[0], trial("0-64", 1, 34054, None, None, **UNRUN), *FINISHED[2:]])
    records = json.loads(render(found, "json"))["rows"]
    told = list(csv.DictReader(io.StringIO(render(found, "csv"))))
    for record, line in zip(records, told, strict=True):
        assert line == {name: "" if value is None else str(value) for name, value in record.items()}
        for text in (render(found, "text"), render(found, "md")):
            assert f"{record['la']:.2f}" in text


def refusal(call, *arguments: object) -> str:
    with pytest.raises(NoTable) as error:
        call(*arguments)
    return str(error.value)


def test_an_unknown_sweep_is_answered_with_the_known_ones(tmp_path) -> None:
    assert masked(refusal(read_results, tmp_path, "lost"), path=tmp_path) == snapshot("""\
no results 'lost' in {path}
  fix: run a sweep first\
""")
    for name in ("second", "first"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trials.parquet").touch()
    assert masked(refusal(read_results, tmp_path, "lost"), path=tmp_path) == snapshot("""\
no results 'lost' in {path}
  fix: known: first, second\
""")


def test_results_that_are_no_parquet_are_refused_with_what_to_do(tmp_path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "trials.parquet").write_bytes(b"PAR1 half a file")
    text = refusal(read_results, tmp_path, "broken")
    assert text.startswith(f"{tmp_path}/broken/trials.parquet")
    assert text.splitlines()[-1] == snapshot("  fix: run the sweep again to rewrite the file")


def test_a_column_that_the_results_lack_is_refused_by_name(tmp_path) -> None:
    assert refusal(lambda: summary(tmp_path / "a", FINISHED, columns=["ppc", "fid"])) == snapshot(
        "the table of layer_selection lists 'fid', which its results do not have"
    )
    assert refusal(lambda: summary(tmp_path / "b", FINISHED, rows="adapter.lairs")) == snapshot(
        "the table of layer_selection lists 'adapter.lairs', which its results do not have"
    )


@pytest.mark.parametrize("reference", ["funlora/layer_choice", "funlaura/layer_selection"])
def test_unknown_published_values_are_refused_by_name(tmp_path, reference) -> None:
    message = refusal(lambda: summary(tmp_path, FINISHED, published=reference))
    assert masked(message, reference=reference) == snapshot("""\
unknown published values '{reference}'
  fix: use a table of analysis/published\
""")


def test_analysis_imports_nothing_of_the_orchestrator_or_the_trainables() -> None:
    imported = set()
    for path in Path(analysis.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(str(node.module).split(".")[0])
    assert "pyarrow" in imported
    assert not imported & {"sweeper", "trainables", "torch", "ray", "mlflow"}


def test_a_loss_is_told_to_more_decimals_than_a_percentage(tmp_path) -> None:
    trials = [trial("0-64", seed, 34054, 80.0, 90.0, fm_loss=0.51234 + seed / 1000) for seed in range(2)]
    lines = render(summary(tmp_path, trials, columns=["la", "fm_loss"], published=None), "md").splitlines()
    assert lines[2] == "| adapter.layers | LA % | FM loss |"
    assert lines[4] == "| 0-64 | 80.00 ± 0.00 (n=2) | 0.5128 ± 0.0007 (n=2) |"
