"""A sweep of the toy trainable that is disturbed again and again, compared with one that never was."""

import json
import shutil
import traceback
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sweeper.store.local.directory import Directory
from tests.project import SPACE, Done, Project

SMALL = SPACE.replace("[1, 2, 3]", "[1, 2]")
RUN = ("run", "space.yaml", "--no-tracking", "--save-seconds", "0.1")
UNFINISHED = ("tmp", "progress", "claims", "failures")
FORMATS = ("csv", "json")

Made = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Verdict:
    """What became of a fault after the same command was said again."""

    problems: tuple[str, ...] = ()
    """Exit code, traceback, damaged artifacts."""
    differing: tuple[str, ...] = ()
    """Formats of the table, and artifacts, that are not those of the undisturbed sweep."""
    twice: tuple[str, ...] = ()
    """Stages that were made again although the fault did not touch them."""
    leftovers: tuple[str, ...] = ()


GOOD = Verdict()


@dataclass(frozen=True)
class Undisturbed:
    """What a sweep comes to that nothing befalls."""

    project: Project
    name: str

    @classmethod
    def of(cls, path: Path, *options: str, text: str = SMALL, name: str = "tiny") -> "Undisturbed":
        made = cls(Project(path), name)
        made.project.write(text)
        done = made.project.sweeper(*RUN, "--executor", "inline", *options)
        assert done.returncode == 0, done.stderr
        return made

    @cached_property
    def tables(self) -> dict[str, str]:
        return tables(self.project, self.name)

    @cached_property
    def files(self) -> dict[str, object]:
        """Sums of the files of every artifact, by key."""
        return files(store_of(self.project))


@dataclass
class Campaign:
    """A project whose sweep is to end as the undisturbed one, whatever is done to it."""

    project: Project
    undisturbed: Undisturbed
    options: tuple[str, ...] = (*RUN[2:], "--executor", "inline")
    before: Made = field(default_factory=dict)
    """The artifacts that stand before a fault."""

    def __post_init__(self) -> None:
        self.project.write((self.undisturbed.project.path / "space.yaml").read_text())

    @classmethod
    def finished(cls, path: Path, undisturbed: Undisturbed) -> "Campaign":
        """One whose sweep is done already."""
        made = cls(Project(path), undisturbed)
        made.begin_anew()
        return made

    def begin_anew(self) -> None:
        """As after the undisturbed sweep."""
        shutil.rmtree(self.runs, ignore_errors=True)
        shutil.copytree(self.undisturbed.project.path / "runs", self.runs)

    @property
    def runs(self) -> Path:
        return self.project.path / "runs"

    @property
    def store(self) -> Directory:
        return store_of(self.project)

    def remember(self) -> None:
        """What stands now must not be made again, but for what a fault hits."""
        self.before = made(self.store)

    def go_on(self, *options: str) -> Done:
        """The same command, in this process."""
        try:
            return self.project.sweeper(*RUN[:2], *self.options, *options)
        except Exception:
            return Done(-1, "", traceback.format_exc())

    def judge(self, done: Done, hit: frozenset[str] = frozenset(), code: int = 0) -> Verdict:
        """Whether all is as if nothing had happened, after a command that has ended."""
        problems = [] if done.returncode == code else [f"exit code {done.returncode}: {done.stderr[-2000:]}"]
        problems += ["Traceback"] if "Traceback" in done.stderr else []
        problems += [f"{key[:12]}: {fault}" for key in self.store.all_keys() if (fault := self.store.verify(key))]
        found, sums = tables(self.project, self.undisturbed.name), files(self.store)
        differing = [how for how in FORMATS if found[how] != self.undisturbed.tables[how]]
        differing += [key[:12] for key, wanted in self.undisturbed.files.items() if sums.get(key) != wanted]
        twice = self.made_twice(hit)
        return Verdict(tuple(problems), tuple(differing), tuple(twice), tuple(leftovers(self.store)))

    def made_twice(self, hit: frozenset[str] = frozenset()) -> list[str]:
        """Artifacts that stood before, and have been made again although the fault did not touch them."""
        now = made(self.store)
        return [key[:12] for key, place in self.before.items() if key not in hit and now.get(key) != place]


def store_of(project: Project) -> Directory:
    """Where a project's artifacts lie."""
    return Directory(project.path / "runs" / "store")


def tables(project: Project, name: str) -> dict[str, str]:
    """The table in every format; the error where there is none."""
    done = {how: project.sweeper("table", name, "--format", how) for how in FORMATS}
    return {how: each.stdout or each.stderr for how, each in done.items()}


def files(store: Directory) -> dict[str, object]:
    """Names, sizes and sums by key. Damaged manifests have none."""
    found: dict[str, object] = {}
    for key in store.all_keys():
        try:
            found[key] = json.loads((store.path(key) / "manifest.json").read_text())["files"]
        except (OSError, ValueError, KeyError, TypeError):
            found[key] = None
    return found


def made(store: Directory) -> Made:
    """When which directory became an artifact, by key: another one means that the stage was run again."""
    stats = {key: (store.path(key) / "manifest.json").stat() for key in store.all_keys()}
    return {key: (stat.st_ino, stat.st_mtime_ns) for key, stat in stats.items()}


def leftovers(store: Directory) -> list[str]:
    """What a finished sweep has no use for."""
    places = (store.root / name for name in UNFINISHED)
    return [str(path.relative_to(store.root)) for place in places for path in place.iterdir()]
