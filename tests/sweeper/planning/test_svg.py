from xml.etree import ElementTree as ET

from inline_snapshot import snapshot

from sweeper.planning.boxes import Box, Boxes
from sweeper.planning.sharing import Sharing
from sweeper.planning.svg import svg
from tests.project import SPACE, Project

INLINE = ("run", "space.yaml", "--executor", "inline", "--no-tracking")
SVG = "{http://www.w3.org/2000/svg}"


def parsed(project: Project, name: str) -> ET.Element:
    """The root of a file; it must be well-formed."""
    return ET.fromstring((project.path / name).read_text())  # noqa: S314


def boxes(root: ET.Element) -> list[tuple[str, str]]:
    """State and function of every box."""
    return [
        (group.attrib["class"].removeprefix("box "), group.findall(f"{SVG}text")[0].text or "")
        for group in root.iter(f"{SVG}g")
        if group.attrib["class"].startswith("box ")
    ]


def test_the_graph_is_well_formed_and_its_counts_add_up(project: Project) -> None:
    done = project.sweeper("plan", "space.yaml", "--graph", "plan.svg")
    assert done.returncode == 0
    assert done.stdout.endswith("\ngraph: plan.svg\n")
    found = boxes(parsed(project, "plan.svg"))
    assert {state for state, _ in found} == {"to-run"}
    assert sum(int(text.partition("×")[2]) for _, text in found) == 50
    assert found[0] == ("to-run", "grow ×2")
    assert len(found) == 1 + 6 + 6


def test_cached_boxes_have_the_colour_of_cached_ones(project: Project) -> None:
    project.sweeper(*INLINE, "--seeds", "0")
    project.write(SPACE.replace("[1, 2, 3]", "[1, 4]"))
    project.sweeper("plan", "space.yaml", "--seeds", "0", "--graph", "plan.svg")
    root = parsed(project, "plan.svg")
    assert sorted(state for state, _ in boxes(root)) == ["cached"] * 5 + ["to-run"] * 4
    style = root.findtext(f"{SVG}style") or ""
    assert ".cached rect { fill: #dafbe1; stroke: #1a7f37; }" in style


def test_a_page_holds_the_graph_and_what_the_plan_says_in_sums(project: Project) -> None:
    project.sweeper("plan", "space.yaml", "--graph", "plan.html", "--slots", "2")
    text = (project.path / "plan.html").read_text()
    assert text.startswith("<!DOCTYPE html>\n<html")
    root = parsed(project, "plan.html")
    assert len(boxes(root)) == 13
    said = root.findtext("body/pre") or ""
    assert said.startswith("tiny: 12 trials, 60 stages, 50 unique, 0 cached, 50 to run\n\nseconds   unknown until")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # nothing is fetched from elsewhere


def test_names_are_escaped() -> None:
    box = Box("<i>", 0, "a & b", (), cached=0, to_run=1, stages=1, seconds=None)
    text = ET.tostring(svg(Boxes([box], {}), Sharing([]), "1 < 2"), encoding="unicode")
    assert "&lt;i&gt; ×1" in text
    assert "a &amp; b" in text
    assert ">1 &lt; 2<" in text


def test_the_json_stays_json_beside_a_graph(project: Project) -> None:
    done = project.sweeper("plan", "space.yaml", "--json", "--graph", "plan.svg")
    assert done.stdout.endswith("\n}\n")
    assert done.stderr == "graph: plan.svg\n"


def test_another_suffix_is_refused_before_anything_is_read(project: Project) -> None:
    done = project.sweeper("plan", "nowhere.yaml", "--graph", "out/plan.pdf")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: cannot draw a graph as 'plan.pdf': expected .svg or .html
  fix: --graph out/plan.svg or --graph out/plan.html
""")


def test_a_file_that_cannot_be_written_is_told(project: Project) -> None:
    done = project.sweeper("plan", "space.yaml", "--graph", "nowhere/plan.svg")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: nowhere/plan.svg cannot be written: No such file or directory
  fix: choose another file
""")
