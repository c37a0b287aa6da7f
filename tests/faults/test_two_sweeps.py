"""Two sweeps at once on one store: what both need is made once, whoever dies."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.faults.campaign import GOOD, RUN, SMALL, Campaign, Undisturbed
from tests.faults.drivers import Driver, kill_all
from tests.masked import masked
from tests.project import Project
from tests.tiny.disturbance import LOG

pytestmark = pytest.mark.faults

INLINE = (*RUN, "--preset", "slow", "--executor", "inline")
HALF = ("--set", "branch.kind=minus")
HALF_NAME = "tiny-slow-branch.kind=minus"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed.of(tmp_path_factory.mktemp("whole"), "--preset", "slow", name="tiny-slow")


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed.of(tmp_path_factory.mktemp("half"), "--preset", "slow", *HALF, name=HALF_NAME)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    made.write(SMALL)
    yield made
    kill_all(str(tmp_path))


def starts(project: Project) -> Counter[str]:
    """How often the body of each stage was started."""
    return Counter((project.path / "starts").read_text().splitlines())


def begin(project: Project, *arguments: str) -> Driver:
    return Driver(project, *arguments, **{LOG: str(project.path / "starts")})


def test_two_sweeps_that_share_stages_run_each_once(project: Project, whole: Undisturbed, half: Undisturbed) -> None:
    drivers = [begin(project, *INLINE), begin(project, *INLINE, *HALF)]
    for driver in drivers:
        assert driver.wait_for_exit() == 0, driver.log
    assert len(starts(project)) == 34
    assert set(starts(project).values()) == {1}
    for undisturbed in (whole, half):
        assert Campaign(project, undisturbed).judge(project.sweeper("list")) == GOOD


def test_the_second_takes_over_where_the_first_is_killed(
    project: Project, whole: Undisturbed, half: Undisturbed
) -> None:
    first = begin(project, *INLINE, *HALF)
    first.wait_for_progress()
    os.kill(first.process.pid, signal.SIGSTOP)
    second = begin(project, *INLINE)
    second.wait_for(lambda: "deferred: grow" in second.log)
    assert f"at work: sweep {HALF_NAME}, process {first.process.pid} on " in second.log
    first.kill()
    assert second.wait_for_exit() == 0, second.log
    assert starts(project).total() - len(starts(project)) == 1  # what the first was at, from where it had come
    done = project.sweeper(*INLINE, *HALF)
    assert "0 to run" in done.stderr
    for undisturbed in (whole, half):
        assert Campaign(project, undisturbed).judge(done) == GOOD


@pytest.mark.ray
def test_one_sweep_on_ray_and_one_without(project: Project, whole: Undisturbed, half: Undisturbed) -> None:
    on_ray = begin(project, *RUN, "--preset", "slow")
    on_ray.wait_for_progress()
    inline = begin(project, *INLINE, *HALF)
    for driver in (on_ray, inline):
        assert driver.wait_for_exit() == 0, driver.log
    assert len(starts(project)) == 34
    assert set(starts(project).values()) == {1}
    for undisturbed in (whole, half):
        assert Campaign(project, undisturbed).judge(project.sweeper("list")) == GOOD


def test_a_sweep_that_is_being_run_is_not_run_twice(project: Project) -> None:
    first = begin(project, *INLINE)
    first.wait_for_progress()
    os.kill(first.process.pid, signal.SIGSTOP)
    done = project.sweeper(*INLINE)
    assert done.returncode == 2
    assert masked(done.stderr, pid=first.process.pid, nodename=os.uname().nodename) == snapshot("""\
error: sweep tiny-slow is being run by process {pid} on {nodename}
  fix: watch it with: sweeper status tiny-slow --watch
""")
    first.kill()
