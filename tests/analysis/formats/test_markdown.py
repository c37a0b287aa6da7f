from pathlib import Path

from analysis.formats import render
from analysis.summary import summarise
from tests.analysis.sweeps import write_sweep


def test_a_name_cannot_break_the_table(tmp_path: Path) -> None:
    row = {"adapter.layers": "a|b_c*", "seed": 0, "ppc": 1, "la": 2.0, "aia": 3.0}
    lines = render(summarise(write_sweep(tmp_path, [row])), "md").splitlines()
    assert lines == [
        "**layer\\_selection**",
        "",
        "| adapter.layers | PPC | LA % | AIA % |",
        "| --- | ---: | ---: | ---: |",
        "| a\\|b\\_c\\* | 1 | 2.00 (n=1) | 3.00 (n=1) |",
    ]
