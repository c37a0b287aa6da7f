"""``sweeper ui``: what it prints, what a browser then shows, and that it stops."""

import io
import json
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pyarrow.parquet as pq
import pytest
from inline_snapshot import snapshot
from PIL import Image

from sweeper.tracking.links import run_links
from tests.browser import Browser, Page, needs_chromium
from tests.project import CASES, SPACE, Project
from tests.sweeper.recorded import record

LABELS = [f"{kind} · {size} · seed {seed}" for seed in (0, 1) for kind in ("plus", "minus") for size in (1, 2, 3)]


@dataclass(frozen=True)
class Served:
    """A UI that runs."""

    project: Project
    process: subprocess.Popen[str]
    head: str
    line: str
    """That of the space."""

    @property
    def url(self) -> str:
        return self.line.rpartition(": ")[2].strip()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    project = Project(tmp_path_factory.mktemp("ui"))
    project.write(SPACE)
    assert project.sweeper("run", "space.yaml", "--executor", "inline").returncode == 0
    command = project.command("ui", "--no-browser")
    with subprocess.Popen(
        command, cwd=project.path, env=project.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield Served(project, process, process.stdout.readline(), process.stdout.readline())
        process.send_signal(signal.SIGINT)  # killed, it would leave its server behind
        process.wait(30)


def lines_are_drawn(page: Page) -> bool:
    """Whether there is colour between the axes, which are grey on white."""
    boxes = "[...document.querySelectorAll('.parcoords .y-axis')].map(axis => axis.getBoundingClientRect())"
    area = page.evaluate(f"(axes => [axes[0].left, axes[0].top, axes.at(-1).left, axes[0].bottom])({boxes})")
    with Image.open(io.BytesIO(page.screenshot())) as seen:
        saturation = np.asarray(seen.convert("HSV").crop(area))[..., 1]
    return bool((saturation > 60).sum() > 500)


def frames(page: Page) -> Iterator[None]:
    """A moment after each frame that the browser draws, for some seconds of them."""
    for _ in range(300):
        yield page.evaluate("new Promise(requestAnimationFrame).then(() => null)")


@pytest.mark.browser
@needs_chromium
def test_the_address_that_is_printed_compares_the_trials_of_the_last_sweep(served: Served) -> None:
    with Browser() as browser:
        page = browser.open(served.url, width=1400, height=1000)
        axes = "[...document.querySelectorAll('.parcoords .axis-title')].map(axis => axis.textContent)"
        page.wait_for(f"{axes}.length")
        assert page.evaluate(axes) == ["branch.kind", "branch.size", "seed", "score"]
        assert any(lines_are_drawn(page) for _ in frames(page))
        page.evaluate("document.querySelectorAll('canvas').forEach(canvas => canvas.style.visibility = 'hidden')")
        assert not lines_are_drawn(page)
        text = page.evaluate("document.body.innerText")
        assert "Comparing 12 Runs from 1 Experiment" in text
        assert re.findall(r"^[^\t\n]* · seed \d$", text, re.MULTILINE) == LABELS
        told = text.partition("\nParameters\n")[2].partition("\nMetrics\n")[0]
        assert [line.split()[0] for line in told.splitlines() if "\t" in line] == ["branch.kind", "branch.size", "seed"]
        assert [error for error in page.errors if "/users/current" not in error] == []  # asked of servers with a login


@pytest.mark.slow
def test_the_address_names_every_run_and_the_experiment(served: Served) -> None:
    place, _, query = served.url.partition("?")
    assert re.fullmatch(r"compare tiny \(12 trials\): http://127\.0\.0\.1:\d+/#/compare-runs\?\S+\n", served.line)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#/compare-runs", place)
    runs, experiments = (json.loads(parse_qs(query)[name][0]) for name in ("runs", "experiments"))
    assert experiments == ["1"]
    links = run_links(served.project.path / "runs", "tiny")
    assert sorted(links) == sorted(LABELS)
    assert sorted(links.values()) == sorted(f"http://127.0.0.1:5000/#/experiments/1/runs/{run}" for run in runs)


@pytest.mark.slow
def test_a_sweep_that_was_tracked_on_a_server_is_shown_there(served: Served) -> None:
    base = served.url.partition("/#/")[0]
    record(served.project, name="elsewhere", spaces=["tiny"], tracking_uri=f"{base}/", began="2100-01-01T00:00:00Z")
    done = served.project.sweeper("ui", "elsewhere")
    assert done.stdout == f"MLflow UI: {base}\n{served.line}"
    assert done.returncode == 0
    links = run_links(served.project.path / "runs", "tiny")
    assert all(link.startswith(f"{base}/#/experiments/1/runs/") for link in links.values())
    (served.project.path / "runs/sweeps/elsewhere/sweep.json").unlink()


@pytest.mark.slow
def test_what_was_tracked_on_a_server_is_exported_from_it(served: Served, tmp_path: Path) -> None:
    base, there = served.url.partition("/#/")[0], Project(tmp_path)
    there.write(CASES.replace("[0, 1]", "[0]"))
    assert there.sweeper("run", "space.yaml", "--executor", "inline", "--tracking-uri", base).returncode == 0
    done = there.sweeper("export", "--from-mlflow", "cases", "--tracking-uri", base)
    assert done.stdout == snapshot("""\
cases: 6 of 6 trials finished; sweeper table cases --runs exported
"""), done.stderr
    made, exported = (
        pq.read_table(there.path / runs / "results/cases/trials.parquet") for runs in ("runs", "exported")
    )
    assert exported.equals(made, check_metadata=True)
    pictures = "results/cases/pictures/*/total.png"
    assert len(list((there.path / "exported").glob(pictures))) == len(list((there.path / "runs").glob(pictures))) > 0


@pytest.mark.slow
def test_the_ui_answers_on_loopback_and_stops_at_ctrl_c(served: Served) -> None:
    found = re.fullmatch(r"MLflow UI: (http://127\.0\.0\.1:(\d+))  \(Ctrl-C stops it\)\n", served.head)
    assert found, served.head
    with urllib.request.urlopen(f"{found[1]}/health", timeout=10) as answer:  # noqa: S310
        assert answer.status == 200
    served.process.send_signal(signal.SIGINT)
    assert served.process.stdout
    assert served.process.stdout.read() == "stopped\n"
    assert served.process.wait(30) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(found[2]))) != 0


def test_a_sweep_that_is_not_known(project: Project) -> None:
    record(project, name="tiny", spaces=["tiny"])
    done = project.sweeper("ui", "tni")
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: no sweep called 'tni' in runs
  fix: did you mean tiny?
""")


def test_a_server_that_is_gone(project: Project) -> None:
    record(project, name="tiny", spaces=["tiny"], tracking_uri="http://127.0.0.1:9")
    done = project.sweeper("ui")
    assert done.returncode == 2
    assert "error: MLflow at http://127.0.0.1:9 cannot be used: " in done.stderr
    assert done.stderr.endswith("\n  fix: start the server that the sweep was tracked on\n")


def test_a_space_that_was_run_without_mlflow_has_no_links(project: Project) -> None:
    record(project, name="tiny", spaces=["tiny"], tracking_uri=None)
    assert run_links(project.path / "runs", "tiny") == {}
