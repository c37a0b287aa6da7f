"""Processes are killed in the middle of a sweep; the same command goes on with what is there."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from inline_snapshot import snapshot

from tests.faults.campaign import GOOD, RUN, Campaign, Undisturbed
from tests.faults.drivers import WORKER, Driver, kill_all, wait_until_nothing_runs
from tests.project import Project
from tests.tiny.disturbance import FAULT

pytestmark = pytest.mark.faults

SLOW = ("--preset", "slow")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed.of(tmp_path_factory.mktemp("undisturbed"), *SLOW, name="tiny-slow")


@pytest.fixture
def campaign(tmp_path: Path, undisturbed: Undisturbed) -> Iterator[Campaign]:
    yield Campaign(Project(tmp_path), undisturbed, (*RUN[2:], *SLOW, "--executor", "inline"))
    kill_all(str(tmp_path))


def test_a_driver_without_ray_killed_at_any_moment(campaign: Campaign) -> None:
    moment = Random(5)
    for artifacts in (0, *moment.choices(range(1, 6), k=3)):
        driver = Driver(campaign.project, *RUN, *SLOW, "--executor", "inline")
        driver.wait_for_work(artifacts) if artifacts else driver.wait_for_progress()
        driver.kill()
        assert campaign.made_twice() == []
        campaign.remember()
    assert campaign.judge(campaign.go_on()) == GOOD


def test_ctrl_c_without_ray(campaign: Campaign) -> None:
    driver = Driver(campaign.project, *RUN, *SLOW, "--executor", "inline")
    driver.wait_for_work(3)
    driver.interrupt()
    assert driver.wait_for_exit() == 130
    assert driver.log.splitlines()[-1] == snapshot("interrupted; run the same command again to resume")
    campaign.remember()
    assert campaign.judge(campaign.go_on()) == GOOD


@pytest.mark.ray
def test_on_ray_worker_driver_node_manager_and_control_service_killed(campaign: Campaign) -> None:
    moment = Random(1)

    def begin(**environment: str) -> Driver:
        assert campaign.made_twice() == []
        campaign.remember()
        driver = Driver(campaign.project, *RUN, *SLOW, **environment)
        driver.wait_for(lambda: driver.processes(WORKER))
        return driver

    first = begin()
    first.wait_for_progress()
    os.kill(moment.choice(first.processes(WORKER)), signal.SIGKILL)
    first.wait_for_work(moment.randrange(1, 9))
    first.kill()

    second = begin()
    second.wait_for_work(moment.randrange(1, 5))
    second.interrupt()
    assert second.wait_for_exit() == 130, second.log
    assert "interrupted; run the same command again to resume" in second.log

    for title, said in (
        (
            "raylet/raylet",
            snapshot(
                [
                    "error: Ray's node manager (raylet) on this machine died",
                    "  fix: fix that, then run the same command again to resume",
                ]
            ),
        ),
        (
            "gcs_server",
            snapshot(
                [
                    "error: Ray's control service (GCS) has not answered for 20 s",
                    "  fix: fix that, then run the same command again to resume",
                ]
            ),
        ),
    ):
        driver = begin(**{FAULT: "endless minus 2"})
        driver.wait_for(lambda: any((campaign.store.root / "claims").iterdir()))
        (pid,) = driver.processes(title)
        os.kill(pid, signal.SIGKILL)
        assert driver.wait_for_exit() == 1, driver.log
        assert driver.log.splitlines()[-2:] == said
        assert "Traceback" not in driver.log

    campaign.remember()
    assert campaign.judge(campaign.go_on()) == GOOD
    wait_until_nothing_runs(first.mark)  # idle workers of a killed driver's Ray end after a minute at most


@pytest.mark.ray
def test_a_node_of_a_cluster_killed_while_the_driver_goes_on(campaign: Campaign) -> None:
    from sweeper.engine.executors.ray import cluster

    cluster._private_token()
    from ray.cluster_utils import Cluster

    one = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    nodes = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **one})
    try:
        other = nodes.add_node(**one)
        driver = Driver(campaign.project, *RUN, *SLOW, "--address", nodes.address)
        driver.wait_for_work(4)
        nodes.remove_node(other, allow_graceful=False)
        assert driver.wait_for_exit() == 0, driver.log
        assert "its worker process died; again in 1 s" in driver.log
    finally:
        nodes.shutdown()
    assert campaign.judge(campaign.go_on()) == GOOD
