"""The orchestrator on Ray. What becomes of it when processes are killed stands in `tests.faults`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.store.local.directory import Directory
from tests.faults.campaign import GOOD, RUN, Campaign, Undisturbed
from tests.faults.drivers import PATIENCE, Driver, kill_all
from tests.project import SPACE, Project
from tests.sweeper.trainable.test_search_path import shadow

pytestmark = pytest.mark.ray

SLOW = ("--preset", "slow")


@pytest.fixture(autouse=True)
def _nothing_left_running(project: Project) -> Iterator[None]:
    yield
    kill_all(str(project.path))


def test_ray_and_inline_give_identical_artifacts(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    inline = Undisturbed.of(tmp_path_factory.mktemp("inline"), *SLOW, name="tiny-slow")
    campaign = Campaign(project, inline)
    driver = Driver(project, *RUN, *SLOW)
    assert driver.wait_for_exit() == 0, driver.log
    assert campaign.judge(project.sweeper("list")) == GOOD


def test_a_trainable_of_the_users_own_directory_and_modules_called_as_ours(project: Project) -> None:
    shadow(project)
    environment = {name: value for name, value in project.environment.items() if name != "PYTHONPATH"}
    command = [str(Path(sys.executable).with_name("sweeper")), "run", "space.yaml", "--no-tracking"]
    done = subprocess.run(
        command, cwd=project.path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(n=2)") == 6


def test_an_address_where_no_cluster_is(project: Project) -> None:
    done = project.sweeper("run", "space.yaml", "--no-tracking", "--address", "127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == snapshot(
        [
            "error: no Ray cluster answers at 127.0.0.1:1",
            "  fix: start one with `ray up cluster.yaml`, or leave --address out to use this machine",
        ]
    )


def test_a_driver_that_is_no_part_of_the_cluster_is_told_where_to_run(project: Project) -> None:
    done = project.sweeper("run", "space.yaml", "--no-tracking", "--address", "ray://127.0.0.1:10001")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == snapshot(
        [
            "error: Ray Tune cannot run through Ray's client, ray://127.0.0.1:10001",
            "  fix: run it on the head, or submit it: `ray job submit -- sweeper run … --address auto`",
        ]
    )


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one stage at a time")
def test_stages_that_take_less_time_than_a_process_to_start_run_side_by_side(project: Project) -> None:
    project.write(SPACE.replace("[0, 1]", "[0]").replace("[1, 2, 3]", str(list(range(8)))))
    done = project.sweeper("run", "space.yaml", "--no-tracking", "--set", "trunk.pause=0.08")
    assert done.returncode == 0, done.stderr
    store = Directory(project.path / "runs" / "store")
    made = sorted((manifest["started"], manifest["seconds"]) for manifest in store.manifests(store.all_keys()).values())
    spans = [(datetime.fromisoformat(started).timestamp(), seconds) for started, seconds in made]
    assert sum(began + seconds > after for (began, seconds), (after, _) in pairwise(spans)) > 5
