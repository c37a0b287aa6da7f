"""What the documentation shows is run: the toy trainable with its search spaces, and the names of commands."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.space.sweep import load_sweep
from tests.project import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
TITLED = re.compile(r'^```\w+ title="(.+?)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEAD = "name: page\ntrainable: funlora\npreset: digits\n"
SPACES = [
    text
    for page in (ROOT / "README.md", DOCS / "search-space.md")
    for text in YAML.findall(page.read_text())
    if not text.startswith("#") and "include:" not in text
]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
COMMAND = re.compile(r"`sweeper ([a-z]+)")
MAX_LINES = 25
"""Of the toy's module, blank ones left out."""


def files_of(page: str) -> Iterator[tuple[str, str]]:
    """Path and text of every code block of a page that has a title."""
    yield from TITLED.findall((DOCS / page).read_text())


def entry_points() -> str:
    """Those that the page on Python registers, in the form of an installed package."""
    blocks = re.findall(r"^```toml\n(.*?)^```$", (DOCS / "api.md").read_text(), re.MULTILINE | re.DOTALL)
    groups = tomllib.loads("".join(blocks))["project"]["entry-points"]
    return "\n".join(
        line for group in groups for line in (f"[{group}]", *(f"{k} = {v}" for k, v in groups[group].items()))
    )


def sweeper(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, as a reader has it; it has to succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "sweeper.cli", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the toy trainable as a reader would type it."""
    directory = tmp_path_factory.mktemp("lab")
    for page in ("writing-a-trainable.md", "search.md"):
        for name, text in files_of(page):
            (directory / name).write_text(text)
    return directory


def test_the_toy_trainable_is_planned_as_the_page_says(lab: Path) -> None:
    printed = sweeper(lab, "plan", "space.yaml", "--runs", "planned").stdout.splitlines()[:7]
    page = (DOCS / "writing-a-trainable.md").read_text()
    assert len(printed) == 7
    assert "\n".join(line.rstrip() for line in printed) in page


@pytest.mark.slow
def test_the_toy_trainable_runs_and_running_it_again_computes_nothing(lab: Path) -> None:
    run = ("run", "space.yaml", "--executor", "inline", "--no-tracking")
    first = sweeper(lab, *run)
    rows = [line.split()[0] for line in first.stdout.splitlines() if "(n=5)" in line]
    assert rows == ["0.01", "0.1", "1.0", "10.0"]
    again = sweeper(lab, *run)
    assert "25 cached, 0 to run" in again.stderr
    assert again.stdout == first.stdout


@pytest.mark.slow
def test_the_figure_of_the_toy_trainable_is_drawn(lab: Path) -> None:
    sweeper(lab, "run", "space.yaml", "--executor", "inline", "--no-tracking")
    plain = (lab / "lab.py").read_text()
    (lab / "lab.py").write_text(plain.rstrip().removesuffix(")") + ', figures="lab_figures")\n')
    drawn = sweeper(lab, "figures", "regularisation", "--format", "svg").stdout.splitlines()
    (lab / "lab.py").write_text(plain)
    assert drawn[0] == "figures/regularisation-strength.svg"
    assert "accuracy, %" in (lab / drawn[0]).read_text()


def test_the_search_of_the_toy_trainable_is_planned(lab: Path) -> None:
    planned = sweeper(lab, "plan", "search.yaml", "--runs", "planned")
    assert "maximise accuracy in 8 suggestions with tpe" in planned.stdout


@pytest.mark.slow
def test_the_executor_and_the_tracker_of_the_page_run_the_toy_trainable(lab: Path) -> None:
    for name, text in files_of("api.md"):
        (lab / name).parent.mkdir(exist_ok=True)
        (lab / name).write_text(text)
    about = lab / "lab_tools-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab_tools\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entry_points())
    new = ("--seeds", "0", "--runs", "pooled", "--executor", "pool", "--max-concurrent", "2", "--tracker", "log")
    done = sweeper(lab, "run", "space.yaml", *new)
    assert done.stdout.count("(n=1)") == 8
    logged = (lab / "pooled" / "regularisation.log").read_text().splitlines()
    assert logged == ["split done", *["train done"] * 4, "0 trials failed"]


@pytest.mark.parametrize("text", SPACES, ids=lambda text: text.split("\n")[0])
def test_a_search_space_on_a_page_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text if text.startswith("name:") else HEAD + text)
    (space,) = load_sweep(path).spaces
    assert space.trials


def test_the_toy_trainable_is_short() -> None:
    lines = [
        line
        for name, text in files_of("writing-a-trainable.md")
        if name == "lab.py"
        for line in text.splitlines()
        if line.strip()
    ]
    assert len(lines) <= MAX_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_commands_that_exist(page: Path) -> None:
    assert {*COMMAND.findall(page.read_text())} <= main.commands.keys()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_between_files_lead_somewhere(name: str) -> None:
    lost = [link for link in LINK.findall((ROOT / name).read_text()) if not (ROOT / link).exists()]
    assert lost == []
