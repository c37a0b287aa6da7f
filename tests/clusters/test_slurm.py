"""``clusters/slurm.sh`` on a machine of its own that pretends to be all that a job was given."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters.hosts import Host, Room, lacking, make_keys
from tests.project import ROOT, SPACE

ABSENT = lacking()
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    room = Room([Path(sys.prefix), Path(sys.base_prefix), ROOT, tmp_path])
    try:
        yield Host(room, "node", 10, make_keys(tmp_path / "keys", "A=B"))
    finally:
        room.close()


def test_a_job_ends_with_the_table_and_stops_its_ray(host: Host, tmp_path: Path) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, script in {"scontrol": f"echo {host.address}", "srun": 'exec "$@"'}.items():
        (commands / name).write_text(f"#!/bin/sh\n{script}\n")
        (commands / name).chmod(0o755)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "space.yaml").write_text(SPACE)
    job = f"cd {tmp_path}; {ROOT}/clusters/slurm.sh space.yaml --no-tracking --seeds 0"
    done = host.run(
        "bash",
        "-c",
        job,
        PATH=f"{commands}:{os.environ['PATH']}",
        PYTHONPATH=str(ROOT),
        SLURM_JOB_ID="7",
        SLURM_JOB_NODELIST="node",
        SLURM_JOB_NUM_NODES="1",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("(n=1)") == 6, done.stdout + done.stderr
    assert "results: runs/results/tiny/trials.parquet" in done.stdout
    assert not host.processes()
    secret = subprocess.run(host.command("sh", "-c", "stat -c %a ~/.ray/auth_token"), capture_output=True, text=True)
    assert secret.stdout == "600\n"
