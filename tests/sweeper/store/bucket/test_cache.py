"""A node's copies of artifacts: shared, checked, within a limit."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sweeper.errors import SweeperError
from sweeper.store.bucket.cache import Cache
from sweeper.store.manifest import seal
from tests.buckets import Network
from tests.masked import masked
from tests.sweeper.store.artifacts import KEY, opened, put

USE = """
import sys, time
from pathlib import Path
from sweeper.store.bucket.cache import Cache
def fetch(directory): raise AssertionError("it is there")
with Cache(Path(sys.argv[1]), 1000).using("old", fetch) as path:
    print((path / "file").stat().st_size, flush=True)
    time.sleep(60)
"""


def made(root: Path, limit: int = 1000) -> Cache:
    cache = Cache(root, limit)
    cache.prepare()
    return cache


def fetching(size: int, told: list[str] | None = None, name: str = "") -> Callable[[Path], None]:
    def fetch(directory: Path) -> None:
        if told is not None:
            told.append(name)
        (directory / "file").write_bytes(bytes(size))
        seal(directory, {})

    return fetch


def use(cache: Cache, name: str, size: int, told: list[str] | None = None) -> None:
    with cache.using(name, fetching(size, told, name)) as path:
        assert (path / "file").stat().st_size == size


def there(cache: Cache) -> set[str]:
    return {path.name for path in (cache.root / "artifacts").iterdir()}


def age(cache: Cache, *names: str) -> None:
    """As if they had been used long ago, the first one longest."""
    for index, name in enumerate(names):
        os.utime(cache.root / "uses" / name, (1000 + index,) * 2)


def test_a_copy_is_fetched_once(tmp_path: Path) -> None:
    cache, told = made(tmp_path), []
    for _ in range(3):
        use(cache, "a", 100, told)
    use(made(tmp_path), "a", 100, told)
    assert told == ["a"]


def test_a_damaged_copy_is_fetched_again(tmp_path: Path) -> None:
    cache, told = made(tmp_path), []
    use(cache, "a", 100, told)
    (tmp_path / "artifacts" / "a" / "file").write_bytes(b"x" * 100)
    use(cache, "a", 100, told)
    assert told == ["a", "a"]


def test_the_copies_that_were_not_used_for_longest_make_room(tmp_path: Path) -> None:
    cache = made(tmp_path, limit=3500)
    for name in ("a", "b", "c"):
        use(cache, name, 700)
    age(cache, "a", "b", "c")
    use(cache, "a", 700)
    use(cache, "d", 700)
    assert there(cache) == {"a", "c", "d"}
    for number in range(20):
        use(cache, f"more {number}", 700)
        assert sum(path.stat().st_size for path in tmp_path.glob("artifacts/*/*")) <= 3500


def test_what_was_committed_here_is_a_copy_too_and_counts(tmp_path: Path) -> None:
    cache = made(tmp_path, limit=2000)
    for name in ("a", "b", "c"):
        with cache.scratch.new() as directory:
            fetching(800)(directory)
            cache.adopt(name, directory)
        age(cache, name)
    assert "c" in there(cache)
    assert len(there(cache)) <= 2
    told: list[str] = []
    use(cache, "c", 800, told)
    assert told == []


def test_a_copy_that_another_process_uses_stays(tmp_path: Path) -> None:
    cache = made(tmp_path)
    use(cache, "old", 100)
    with subprocess.Popen([sys.executable, "-c", USE, str(tmp_path)], stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout
        assert user.stdout.readline() == "100\n"
        age(cache, "old")
        for name in ("b", "c", "d"):
            use(cache, name, 500)
        assert there(cache) == {"old", "d"}
        user.kill()
    age(cache, "old")
    use(cache, "e", 700)
    assert there(cache) == {"e"}


def test_more_than_the_limit_may_be_in_use_at_once(tmp_path: Path) -> None:
    cache = made(tmp_path, limit=100)
    with cache.using("a", fetching(80)), cache.using("b", fetching(80)):
        assert there(cache) == {"a", "b"}


def test_a_count_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    cache = made(tmp_path, limit=2200)
    for name in ("a", "b"):
        use(cache, name, 800)
    age(cache, "a", "b")
    (tmp_path / "bytes").write_text("")
    use(cache, "c", 800)
    assert "a" not in there(cache)


def test_one_fetches_while_others_wait_for_it(tmp_path: Path) -> None:
    told: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def fetch(directory: Path) -> None:
        began.set()
        go_on.wait(10)
        fetching(100, told, "a")(directory)

    def get() -> None:
        with made(tmp_path).using("a", fetch):
            pass

    threads = [threading.Thread(target=get) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert began.wait(10)
    go_on.set()
    for thread in threads:
        thread.join()
    assert told == ["a"]


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SweeperError) as error:
        made(tmp_path / "file" / "cache")
    assert masked(str(error.value), tmp_path=tmp_path) == snapshot("""\
the cache {tmp_path}/file/cache cannot be written: Not a directory
  fix: choose another directory with --cache\
""")


def test_a_store_reads_from_its_copies_and_a_damaged_one_is_fetched_again(
    url: str, tmp_path: Path, net: Network
) -> None:
    put(opened(url, tmp_path / "maker"))
    bucket = opened(url, tmp_path / "node")
    path = bucket.open(KEY) / "file"
    net.asked.clear()
    assert bucket.open(KEY) == path.parent
    assert bucket.read_verified(KEY, bucket.manifest(KEY), "file") == b"content"
    assert net.count("GET", "/files/") == 0
    path.write_text("cOntent")
    assert bucket.read_verified(KEY, bucket.manifest(KEY), "file") == b"content"
    assert net.count("GET", "/files/") == 1
    assert (bucket.open(KEY) / "file").read_text() == "content"
    assert net.count("GET", "/files/") == 2


def test_what_a_store_has_given_stays_until_it_is_closed(url: str, tmp_path: Path) -> None:
    keys = [f"{number:064x}" for number in range(4)]
    maker = opened(url, tmp_path / "maker")
    for key in keys:
        put(maker, "x" * 500, key)
    user, other = opened(url, tmp_path / "node", 1200), opened(url, tmp_path / "node", 1200)
    first = user.open(keys[0])
    for key in keys[1:]:
        other.open(key)
        other.close()
    assert first.exists()
    user.close()
    for key in keys[1:]:
        other.open(key)
        other.close()
    assert not first.exists()
