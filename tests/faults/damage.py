"""Ways to damage what a sweep has written, between two commands. Each returns the keys of the artifacts it hit."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from sweeper.store.local.directory import Directory
from sweeper.store.manifest import MANIFEST

Harm = Callable[[Path, Random], None]
Damage = Callable[[Path, Random], frozenset[str]]
NOISE = bytes(range(256))


def truncate(path: Path, pick: Random) -> None:
    os.truncate(path, pick.randrange(path.stat().st_size))


def flip(path: Path, pick: Random) -> None:
    """One bit."""
    content = bytearray(path.read_bytes())
    content[pick.randrange(len(content))] ^= 1 << pick.randrange(8)
    path.write_bytes(content)


def garble(path: Path, pick: Random) -> None:
    path.write_bytes(pick.randbytes(200) + NOISE)


def remove(path: Path, pick: Random) -> None:
    path.unlink()


def _of_a_file(harm: Harm) -> Harm:
    return lambda artifact, pick: harm(pick.choice([p for p in sorted(artifact.iterdir()) if p.name != MANIFEST]), pick)


def _of_the_manifest(harm: Harm) -> Harm:
    return lambda artifact, pick: harm(artifact / MANIFEST, pick)


def _emptied(artifact: Path, pick: Random) -> None:
    for path in artifact.iterdir():
        path.unlink()


def _a_file_in_its_place(artifact: Path, pick: Random) -> None:
    shutil.rmtree(artifact)
    artifact.write_bytes(NOISE)


def _other_manifest(text: str) -> Harm:
    def harm(artifact: Path, pick: Random) -> None:
        (artifact / MANIFEST).write_text(text)

    return harm


HARMS: dict[str, Harm] = {
    "file truncated": _of_a_file(truncate),
    "bit of a file flipped": _of_a_file(flip),
    "file missing": _of_a_file(remove),
    "manifest truncated": _of_the_manifest(truncate),
    "bit of a manifest flipped": _of_the_manifest(flip),
    "manifest missing": _of_the_manifest(remove),
    "manifest garbled": _of_the_manifest(garble),
    "manifest of another kind": _other_manifest("[]"),
    "manifest that says nothing": _other_manifest('{"files": {}}'),
    "directory gone": lambda artifact, pick: shutil.rmtree(artifact),
    "directory empty": _emptied,
    "a file in its place": _a_file_in_its_place,
}


def of_artifact(function: str, harm: Harm) -> Damage:
    """Harm an artifact of a stage function, and take away what was made from it, up to the result of a trial."""

    def damage(runs: Path, pick: Random) -> frozenset[str]:
        store = Directory(runs / "store")
        key = pick.choice(keys_of(store, function))
        above = _chain_above(store, key, pick)
        for each in above:
            shutil.rmtree(store.path(each))
        harm(store.path(key), pick)
        return frozenset([key, *above])

    return damage


def of_all_inputs(runs: Path, pick: Random) -> frozenset[str]:
    """Every input of a result that is to be made again."""
    store = Directory(runs / "store")
    target = pick.choice(keys_of(store, "total"))
    inputs = store.manifest(target)["inputs"]["bends"]
    shutil.rmtree(store.path(target))
    for key in inputs:
        _of_a_file(flip)(store.path(key), pick)
    return frozenset([target, *inputs])


def of_progress(harm: Callable[[Path, Random], None]) -> Damage:
    """A stage that is to be made again finds saved progress which is harmed."""

    def damage(runs: Path, pick: Random) -> frozenset[str]:
        store = Directory(runs / "store")
        key = pick.choice(keys_of(store, "grow"))
        above = _chain_above(store, key, pick)
        for each in (key, *above):
            shutil.rmtree(store.path(each))
        with store.scratch() as directory:
            (directory / "chain.json").write_text('{"step": 2, "link": "of another chain"}')
            (directory / "run.json").write_text('{"curve": {}, "seconds": 1.0}')
            store.save_progress(key, directory)
        harm(store.root / "progress" / key, pick)
        return frozenset([key, *above])

    return damage


def _of_the_newest(harm: Harm) -> Harm:
    return lambda place, pick: harm(next(iter(place.iterdir())), pick)


PROGRESSES: dict[str, Harm] = {
    "truncated": _of_the_newest(_of_a_file(truncate)),
    "flipped": _of_the_newest(_of_a_file(flip)),
    "manifest truncated": _of_the_newest(_of_the_manifest(truncate)),
    "manifest garbled": _of_the_newest(_of_the_manifest(garble)),
    "empty": _of_the_newest(_emptied),
    "a file in its place": lambda place, pick: _a_file_in_its_place(place, pick),
    "strangers beside it": lambda place, pick: _strangers(place, pick),
}


def _strangers(place: Path, pick: Random) -> None:
    _of_the_newest(_of_a_file(flip))(place, pick)
    (place / "zzz").mkdir()
    (place / "zzz.txt").write_bytes(NOISE)


def stale(place: str, *names: str) -> Damage:
    """What dead processes leave behind: files and directories that nobody holds."""

    def damage(runs: Path, pick: Random) -> frozenset[str]:
        store = Directory(runs / "store")
        for name in names:
            path = store.root / place / name.format(key=pick.choice(keys_of(store, "total")))
            if path.suffix == ".dir" or place == "progress":
                path.mkdir()
                path /= "something"
            path.write_bytes(NOISE)
        return frozenset()

    return damage


def of_file(name: str, harm: Harm, missing: bool = False) -> Damage:
    """Harm one of the files that say what a sweep has come to; ``missing``: with a result still to be made."""

    def damage(runs: Path, pick: Random) -> frozenset[str]:
        store = Directory(runs / "store")
        harm(runs / name, pick)
        hit = [pick.choice(keys_of(store, "total"))] if missing else []
        for key in hit:
            shutil.rmtree(store.path(key))
        return frozenset(hit)

    return damage


FILES = ("results/tiny/trials.parquet", "sweeps/tiny/sweep.json", "sweeps/tiny/status.json")
DAMAGES: dict[str, Damage] = {
    **{
        f"{function}: {name}": of_artifact(function, harm)
        for name, harm in HARMS.items()
        for function in ("grow", "bend", "total")
    },
    "bend: all inputs of a result": of_all_inputs,
    **{f"progress: {name}": of_progress(harm) for name, harm in PROGRESSES.items()},
    "progress: of a stage that is done": stale("progress", "{key}"),
    "tmp: stale directory": stale("tmp", "0123.dir"),
    "tmp: stale file": stale("tmp", "0123"),
    "claims: stale": stale("claims", "{key}", "{key}"),
    "failures: garbage": stale("failures", "{key}.json", "{key}.new"),
    **{
        f"{name.rpartition('/')[2]}: {how}": of_file(name, harm)
        for name in FILES
        for how, harm in (("truncated", truncate), ("flipped", flip), ("garbled", garble), ("missing", remove))
    },
}


def keys_of(store: Directory, function: str) -> list[str]:
    """Of the intact artifacts of a stage function, in order."""
    whole = [key for key in store.all_keys() if store.verify(key) is None]
    return [key for key in whole if store.manifest(key)["stage"].endswith(f".{function}")]


def _chain_above(store: Directory, key: str, pick: Random) -> list[str]:
    """Something made from the artifact, something made from that, and so on."""
    users = [each for name in ("bend", "total") for each in keys_of(store, name)]
    users = [each for each in users if key in str(store.manifest(each)["inputs"])]
    if not users:
        return []
    user = pick.choice(users)
    return [user, *_chain_above(store, user, pick)]
