"""A disk that is full, or cannot be written at all."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.faults.campaign import GOOD, Campaign, Undisturbed
from tests.masked import masked
from tests.project import Project
from tests.tiny.disturbance import FAULT

pytestmark = pytest.mark.faults


def mount(*arguments: object) -> None:
    """Skips the test where that is not allowed."""
    command = [str(shutil.which("mount")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs to mount a small disk: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed.of(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def small(tmp_path: Path, undisturbed: Undisturbed) -> Iterator[Campaign]:
    """A project whose runs lie on a disk of their own, too small for them."""
    runs = tmp_path / "runs"
    runs.mkdir()
    mount("-t", "tmpfs", "-o", "size=200k", "none", runs)
    yield Campaign(Project(tmp_path), undisturbed)
    subprocess.run([str(shutil.which("umount")), runs], check=True)


def test_a_stage_that_fills_the_disk_halts_the_sweep(small: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    mount("-o", "remount,size=1m", small.runs)
    monkeypatch.setenv(FAULT, "full minus 1")
    done = small.go_on()
    assert done.returncode == 1
    assert done.error == snapshot("""\
error: the store cannot be written: No space left on device
  fix: fix that, then run the same command again to resume
""")
    assert small.store.failures.all() == {}
    small.remember()
    assert small.before
    monkeypatch.delenv(FAULT)
    assert small.judge(small.go_on()) == GOOD


def test_a_disk_that_fills_up_halts_the_sweep(small: Campaign) -> None:
    done = small.go_on()
    assert done.returncode == 1
    assert done.error == snapshot("""\
error: runs/results cannot be written: No space left on device
  fix: free some space, then run the same command again to resume
""")
    small.remember()
    assert small.before
    mount("-o", "remount,size=20m", small.runs)
    assert small.judge(small.go_on()) == GOOD


def test_a_disk_that_is_full_from_the_start(small: Campaign) -> None:
    with contextlib.suppress(OSError):
        (small.runs / "film").write_bytes(bytes(2**20))
    done = small.go_on()
    assert done.returncode == 2
    assert done.stderr == snapshot("""\
error: runs/sweeps/tiny cannot be written: No space left on device
  fix: free some space, or choose another directory with --runs
""")
    (small.runs / "film").unlink()
    mount("-o", "remount,size=20m", small.runs)
    assert small.judge(small.go_on()) == GOOD


def test_a_disk_that_becomes_read_only(small: Campaign) -> None:
    small.go_on()
    small.remember()
    mount("-o", "remount,ro", small.runs)
    done = small.go_on()
    assert done.returncode == 2
    assert masked(done.stderr, root=small.store.root) == snapshot("""\
error: the store {root} cannot be written: Read-only file system
  fix: choose another directory with --runs or --store
""")
    mount("-o", "remount,rw,size=20m", small.runs)
    assert small.judge(small.go_on()) == GOOD
