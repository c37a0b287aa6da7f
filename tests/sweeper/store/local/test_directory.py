import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from inline_snapshot import snapshot

from sweeper.errors import SweeperError
from sweeper.store.base import Damaged
from sweeper.store.local.directory import Directory
from tests.masked import masked
from tests.sweeper.store.artifacts import KEY, put, save


def test_a_manifest_that_says_something_else_than_when_it_was_made_is_damage(store: Directory) -> None:
    put(store)
    path = store.path(KEY) / "manifest.json"
    path.write_text(path.read_text().replace('"seconds": 1', '"seconds": 3'))
    assert store.verify(KEY) == snapshot("manifest.json cannot be read")
    with pytest.raises(Damaged):
        store.manifest(KEY)


def test_progress_is_the_newest_intact_one(store: Directory) -> None:
    assert store.progress(KEY) is None
    save(store, "one")
    kept = store.progress(KEY)
    assert kept
    save(store, "two")
    newest = store.progress(KEY)
    assert newest
    assert (newest / "state").read_text() == "two"
    assert not kept.exists()
    (newest / "state").write_text("twO")
    assert store.progress(KEY) is None


def test_progress_goes_when_the_stage_is_done(store: Directory) -> None:
    save(store, "one")
    put(store)
    assert store.progress(KEY) is None
    assert not (store.root / "progress" / KEY).exists()


def test_leftovers_of_dead_writers_go_and_those_of_living_ones_stay(store: Directory) -> None:
    code = (
        "import sys; from pathlib import Path; from sweeper.store.local.directory import Directory\n"
        "context = Directory(Path(sys.argv[1])).scratch(); (context.__enter__() / 'half').write_text('half')\n"
        "import os; os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(store.root)], check=False, env=dict(os.environ))
    with store.scratch() as mine:
        assert len(list((store.root / "tmp").iterdir())) == 2
        store.remove_leftovers()
        assert list((store.root / "tmp").iterdir()) == [mine]


def test_a_store_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SweeperError) as error:
        Directory(tmp_path / "file" / "store").prepare()
    assert masked(str(error.value), tmp_path=tmp_path) == snapshot("""\
the store {tmp_path}/file/store cannot be written: Not a directory
  fix: choose another directory with --runs or --store\
""")


def test_the_manifest_is_json_that_anything_can_read(store: Directory) -> None:
    put(store)
    assert json.loads((store.path(KEY) / "manifest.json").read_text())["files"]


def test_only_files_that_are_open_for_writing_are_locked_exclusively_as_nfs_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def as_on_nfs(file: int | IO[bytes], how: int) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        if how & fcntl.LOCK_EX and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", as_on_nfs)
    store = Directory(tmp_path / "store")
    store.prepare()
    put(store)
    with store.claims.hold(KEY, "us") as ours, store.scratch() as mine:
        assert ours
        store.remove_leftovers()
        assert mine.exists()


def test_a_filesystem_without_locks_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(SweeperError) as error:
        Directory(tmp_path / "store").prepare()
    assert masked(str(error.value), tmp_path=tmp_path) == snapshot("""\
the store {tmp_path}/store cannot be locked: No locks available
  fix: mount it with locks (NFS 4, or NFS 3 without nolock), or choose another directory with --store\
""")
