import csv
import io
import json
from pathlib import Path

import pytest
from scipy import stats

from analysis.formats import render
from analysis.formats.records import records
from analysis.summary import summarise
from tests.analysis.sweeps import layer_selection
from tests.analysis.tables import DATA


@pytest.mark.parametrize("name", ["functions", "final"])
def test_csv_and_json_hold_the_same_numbers_in_full(name: str) -> None:
    from analysis.results import read_results

    summary = summarise(read_results(DATA, name))
    told = list(csv.DictReader(io.StringIO(render(summary, "csv"))))
    for record, line in zip(json.loads(render(summary, "json"))["rows"], told, strict=True):
        assert line == {name: "" if value is None else str(value) for name, value in record.items()}


def test_a_record_holds_what_the_comparison_found(tmp_path: Path) -> None:
    results = layer_selection(tmp_path)
    by_row = {record["adapter.layers"]: record for record in records(summarise(results))}
    values = {}
    for trial in results.trials.to_pylist():
        values.setdefault(trial["adapter.layers"], []).append(trial["la"])
    test = stats.ttest_rel(values["45-49"], values["40-54"])
    low, high = test.confidence_interval(0.95)
    found = by_row["45-49"]
    assert found["la_pairs"] == 3
    assert [found["la_t_low"], found["la_t_high"]] == pytest.approx([low, high])
    assert found["la_p"] >= test.pvalue
    assert by_row["40-54"]["la_difference"] is None
