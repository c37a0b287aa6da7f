"""``clusters/onprem.yaml`` on three machines: what befalls a cluster that is left alone for a night."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from sweeper.store.local.directory import Directory
from tests.clusters.hosts import PATIENCE, Host, Room, lacking, make_keys, wait_for
from tests.project import ROOT, Project

ABSENT = lacking()
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))]

SOON = {
    "RAY_health_check_initial_delay_ms": 1000,
    "RAY_health_check_period_ms": 1000,
    "RAY_health_check_timeout_ms": 1000,
    "RAY_health_check_failure_threshold": 3,
    "RAY_gcs_rpc_server_reconnect_timeout_s": 5,
    "AUTOSCALER_UPDATE_INTERVAL_S": 1,
    "AUTOSCALER_HEARTBEAT_TIMEOUT_S": 5,
}
"""Ray waits for half a minute or longer before it gives up a node. Nothing else differs from what users have."""
ONE_SLOT = """'RAY_OVERRIDE_RESOURCES={"CPU":1}'"""
SPACE = """\
name: tiny
trainable: tests.tiny
preset: slow
seeds: 0-7
fixed: {trunk.pause: 0.06}
axes:
  branch.kind: [plus, minus]
table: {rows: branch.kind, columns: [cost, score]}
"""
NODES = """
import ray, sys, time
ray.init("auto", log_to_driver=False)
while sum(node["Alive"] for node in ray.nodes()) != int(sys.argv[1]): time.sleep(0.1)
"""


@dataclass(frozen=True)
class Cluster:
    """Three machines, the directory that they share, and what one says on them."""

    room: Room
    head: Host
    workers: tuple[Host, Host]
    shared: Path

    @property
    def hosts(self) -> tuple[Host, ...]:
        return self.head, *self.workers

    @property
    def store(self) -> Directory:
        return Directory(self.shared / "runs" / "store")

    def ray(self, command: str, *arguments: str) -> str:
        """What the operator says."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = self.room.run("ray", command, *arguments, PATH=path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def on_the_head(self, command: str) -> list[str]:
        """The command line of what a user says there."""
        return self.head.command("bash", "-c", f". ~/.bashrc; cd {self.shared}; {command}")

    def at_work(self) -> set[str]:
        """Names of the machines that are at a stage."""
        owners = [self.store.claims.owner(key) for key in self.store.claims.living()]
        return {owner.rpartition(" ")[2] for owner in owners if owner}

    def machines(self) -> dict[str, str]:
        """The machine that made each artifact."""
        return {key: made["machine"] for key, made in self.store.manifests(self.store.all_keys()).items()}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    shared = tmp_path_factory.mktemp("shared")
    project = shared / "sweeper"
    project.mkdir()
    (project / ".venv").symlink_to(sys.prefix)
    times = " ".join(f"{name}={value}" for name, value in SOON.items())
    keys = make_keys(shared / "keys", f"{ONE_SLOT} PYTHONPATH={ROOT} {times}")
    (shared / "space.yaml").write_text(SPACE)
    room = Room([Path(sys.prefix), Path(sys.base_prefix), ROOT, shared])
    try:
        head, left, right = (Host(room, name, 10 + i, keys) for i, name in enumerate(["head", "left", "right"]))
        made = Cluster(room, head, (left, right), shared)
        config = filled_in((ROOT / "clusters" / "onprem.yaml").read_text(), made, keys / "user", project)
        (shared / "onprem.yaml").write_text(config)
        made.ray("get-auth-token", "--generate")
        made.ray("up", "--yes", str(shared / "onprem.yaml"))
        command = made.on_the_head(f"timeout {PATIENCE:.0f} python -c '{NODES}' 3")
        subprocess.run(command, check=True, capture_output=True)
        yield made
    finally:
        room.close()


def filled_in(text: str, cluster: Cluster, key: Path, project: Path) -> str:
    """The file with those values changed that it says a user has to change."""
    left, right = cluster.workers
    for old, new in {
        "head_ip: 192.168.1.10 ": f"head_ip: {cluster.head.address} ",
        "worker_ips: [192.168.1.11, 192.168.1.12]": f"worker_ips: [{left.address}, {right.address}]",
        "ssh_user: ubuntu": "ssh_user: root",
        "ssh_private_key: ~/.ssh/id_ed25519": f"ssh_private_key: {key}",
        "ln -sfT /shared/sweeper ": f"ln -sfT {project} ",
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_doctor_finds_every_machine_in_order(cluster: Cluster) -> None:
    done = subprocess.run(
        cluster.on_the_head("sweeper doctor --address auto"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "ok   cluster: 3 nodes at auto" in lines
    assert sorted(line.split()[2] for line in lines if line.startswith("ok   node ")) == ["head", "left", "right"]


def test_a_machine_without_the_token_is_refused(cluster: Cluster) -> None:
    stranger = Host(cluster.room, "stranger", 20, cluster.shared / "keys")
    address = f"{cluster.head.address}:6379"
    join = ["ray.scripts.scripts", "start", f"--address={address}", f"--node-ip-address={stranger.address}"]
    run = [
        "sweeper.cli",
        "run",
        f"{cluster.shared}/space.yaml",
        "--address",
        address,
        "--runs",
        f"{cluster.shared}/none",
    ]
    none, wrong = {"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
    tried = [
        subprocess.Popen(
            stranger.command(sys.executable, "-m", *command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **token, "RAY_NUM_REDIS_GET_RETRIES": "2"},
            text=True,
        )
        for command, token in [(join, none), (join, wrong), (run, wrong)]
    ]
    told = [process.communicate(timeout=PATIENCE)[0] for process in tried]
    for each in told:
        assert "InvalidAuthToken: Authentication token is missing or incorrect" in each, told
    assert [process.returncode for process in tried] == [1, 1, 2]
    assert told[2].splitlines()[-2] == f"error: the Ray cluster at {address} refuses this machine's token"
    assert not stranger.processes()


def test_a_sweep_ends_with_the_table_of_one_machine_whatever_is_lost(cluster: Cluster, project: Project) -> None:
    head, (left, right) = cluster.head, cluster.workers
    log = cluster.shared / "log"

    def start() -> subprocess.Popen[bytes]:
        command = "sweeper run space.yaml --address auto --no-tracking --save-seconds 0.5"
        with log.open("w") as file:
            return subprocess.Popen(cluster.on_the_head(command), stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def wait(condition: Callable[[], object]) -> None:
        wait_for(lambda: condition() or driver.poll() is not None, log.read_text)
        assert driver.poll() is None, log.read_text()

    driver = start()
    wait(lambda: set(cluster.machines().values()) == {"head", "left", "right"})
    head.kill("sweeper run")
    driver.wait(PATIENCE)
    wait_for(lambda: not cluster.at_work())
    done = cluster.machines()

    driver = start()
    wait(lambda: cluster.at_work() == {"head", "left", "right"})
    left.cut()
    wait(lambda: log.read_text().count("its worker process died") == 1)
    wait(lambda: right.name in cluster.at_work())
    right.kill("raylet/raylet")
    wait(lambda: log.read_text().count("its worker process died") == 2)
    left.mend()
    assert driver.wait(PATIENCE) == 0, log.read_text()

    assert cluster.machines().items() >= done.items()
    project.write(SPACE.replace("0.06", "0"))
    assert project.sweeper("run", "space.yaml", "--executor", "inline", "--no-tracking").returncode == 0
    alone = project.csv("tiny")
    shutil.copytree(cluster.shared / "runs" / "results" / "tiny", project.path / "runs" / "results" / "there")
    assert project.csv("there") == alone


def test_ray_down_leaves_no_process_on_any_machine(cluster: Cluster) -> None:
    cluster.ray("down", "--yes", str(cluster.shared / "onprem.yaml"))
    left = partial(map, Host.processes, cluster.hosts)
    wait_for(lambda: not any(left()), lambda: list(left()))
