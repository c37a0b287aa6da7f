import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from analysis.figures import FIGURES, save, svg
from analysis.figures.style import INK
from tests.analysis.sweeps import layer_selection


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png"])
def test_the_same_results_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    results = layer_selection(tmp_path)
    written = []
    for name in ("one", "other"):
        figure = FIGURES["accuracy"].draw(results)
        assert figure
        save(figure, tmp_path / f"{name}.{suffix}")
        written.append((tmp_path / f"{name}.{suffix}").read_bytes())
    assert written[0] == written[1]
    assert b"Date" not in written[0]


def test_a_file_is_a_paper_column_wide_with_truetype_fonts(tmp_path: Path) -> None:
    figure = FIGURES["curves"].draw(layer_selection(tmp_path))
    assert figure
    save(figure, tmp_path / "it.png")
    save(figure, tmp_path / "it.pdf")
    assert Image.open(tmp_path / "it.png").width == 1020
    pdf = (tmp_path / "it.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_svgs_of_a_page_share_no_ids_and_take_its_colour(tmp_path: Path) -> None:
    results = layer_selection(tmp_path)
    ids, drawn = [], {}
    for name in ("accuracy", "matrix"):
        figure = FIGURES[name].draw(results)
        assert figure
        text = drawn[name] = svg(figure, f"page-{name}")
        root = ET.fromstring(text)  # noqa: S314
        own = {each.get("id") for each in root.iter() if each.get("id")}
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
        assert used <= own
        ids += own
        assert INK not in text
        assert "currentColor" in text
    assert len(ids) == len(set(ids))
    assert "data:image/png" in drawn["matrix"]
    assert max(map(len, drawn.values())) < 150_000
