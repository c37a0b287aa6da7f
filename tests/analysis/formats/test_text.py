from pathlib import Path

from click import unstyle

from analysis.formats import render
from analysis.summary import summarise
from tests.analysis.sweeps import layer_selection


def test_the_best_is_bold_and_the_second_underlined_on_a_terminal(tmp_path: Path) -> None:
    summary = summarise(layer_selection(tmp_path))
    styled = render(summary, "text", styled=True)
    lines = {line.split()[0]: line for line in styled.splitlines()[2:6]}
    assert [name for name, line in lines.items() if "\x1b[1m" in line] == ["0-64"]
    assert [name for name, line in lines.items() if "\x1b[4m" in line] == ["35-54"]
    assert unstyle(styled) == render(summary, "text")


def test_statistics_follow_when_they_are_asked_for(tmp_path: Path) -> None:
    summary = summarise(layer_selection(tmp_path))
    plain, whole = render(summary, "text"), render(summary, "text", statistics=True)
    assert whole.startswith(plain)
    title, heads, first = whole[len(plain) :].splitlines()[1:4]
    assert title == "layer_selection: LA %, paired differences from the baseline"
    assert heads.split("  ")[:3] == ["adapter.layers", "baseline", "pairs"]
    assert first.split()[:4] == ["0-64", "40-54", "3", "+2.00"]
