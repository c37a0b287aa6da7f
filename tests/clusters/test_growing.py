"""A cluster that begins with no worker, on a machine of its own: Ray's pretended provider starts processes as nodes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sweeper.store.local.directory import Directory
from tests.clusters.hosts import PATIENCE, Host, Room, lacking, make_keys, wait_for
from tests.project import ROOT

ABSENT = lacking()
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))]

WORKER = {"resources": {"CPU": 1, "GPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": 1}
CONFIG = {
    "cluster_name": "growing",
    "max_workers": 2,
    "upscaling_speed": 1.0,
    "idle_timeout_minutes": 0.05,
    "provider": {"type": "fake_multinode", "use_node_id_as_ip": True, "disable_node_updaters": True},
    "head_node_type": "head",
    "available_node_types": {
        "head": {"resources": {}, "node_config": {}, "max_workers": 0},
        "on_demand": WORKER,
        "spot": WORKER,
    },
    **{name: {} for name in ["auth", "docker", "file_mounts"]},
    "file_mounts_sync_continuously": False,
    **{name: [] for name in ["cluster_synced_files", "rsync_exclude", "rsync_filter", "initialization_commands"]},
    **{f"{whose}setup_commands": [] for whose in ["", "head_", "worker_"]},
    **{f"{whose}_start_ray_commands": [] for whose in ["head", "worker"]},
}
SPACE = """\
name: tiny
trainable: tests.tiny
preset: slow
seeds: 0-3
table: {rows: branch.kind, columns: [score]}
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "space.yaml").write_text(SPACE)
    room = Room([Path(sys.prefix), Path(sys.base_prefix), ROOT, tmp_path])
    try:
        host = Host(room, "head", 10, make_keys(tmp_path / "keys", "A=B"))
        write = host.command("sh", "-c", "cat > ~/ray_bootstrap_config.yaml")
        subprocess.run(write, input=json.dumps(CONFIG), text=True, check=True)
        yield host
    finally:
        room.close()


def test_a_sweep_on_a_cluster_without_workers_brings_those_it_can_use_and_they_go_afterwards(
    host: Host, tmp_path: Path
) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RAY_AUTH_MODE": "token",
        "RAY_FAKE_CLUSTER": "1",
        "RAY_enable_autoscaler_v2": "0",
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        "RAY_AUTOSCALER_UTILIZATION_SCORER": "sweeper.engine.executors.ray.spot.spot_first",
    }
    assert host.run("ray", "get-auth-token", "--generate", **environment).returncode == 0
    start = f"ray start --head --num-cpus=0 --node-ip-address={host.address} --object-store-memory=100000000"
    done = host.run("sh", "-c", f"{start} --autoscaling-config ~/ray_bootstrap_config.yaml", **environment)
    assert done.returncode == 0, done.stdout + done.stderr

    run = f"cd {tmp_path}; python -m sweeper.cli run space.yaml --address auto --no-tracking"
    driver = subprocess.Popen(
        host.command("sh", "-c", run),
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: len(host.processes("raylet/raylet")) == 1 + 2 or driver.poll() is not None)
    told = driver.communicate(timeout=PATIENCE)[0]
    assert driver.returncode == 0, told
    assert "(n=4)" in told
    store = Directory(tmp_path / "runs" / "store")
    made = store.manifests(store.all_keys()).values()
    spans = sorted((datetime.fromisoformat(each["started"]).timestamp(), each["seconds"]) for each in made)
    assert any(began + seconds > after for (began, seconds), (after, _) in pairwise(spans))
    wait_for(lambda: len(host.processes("raylet/raylet")) == 1)
