"""Provenance of an artifact: source, repository, packages. Recorded beside it, never part of its key."""

from __future__ import annotations

import functools
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sweeper.trainable.source import closure, is_found, source_hash

PERFORMER = "sweeper.engine.worker"
DIFF_BYTES = 16 * 2**10
"""Bytes of a diff that are recorded at most, since manifests are read often."""
GIT_SECONDS = 10


@dataclass(frozen=True)
class Repository:
    """The state of the git repository that holds some code."""

    commit: str | None
    """40 hexadecimal digits, with ``+`` if files differ from it; None outside a repository."""
    diff: str | None
    """Changes to the code against the commit; None if there are none."""


def code_of(module: str) -> dict[str, str]:
    """Return hashes of the code that runs a stage of ``module``: its own, and that of the worker."""
    return {each: source_hash(each) for each in (PERFORMER, module)}


def other_code(code: Mapping[str, str]) -> str | None:
    """Describe how the code here differs from the result of `code_of` elsewhere; return None if it does not."""
    for module, there in code.items():
        if (here := source_hash(module)) != there:
            has = f"has different code of {module}, {here[:12]}" if is_found(module) else f"cannot find {module}"
            return f"{platform.node()} {has}; the sweep was started with {there[:12]}"
    return None


@functools.cache
def repository(module: str) -> Repository:
    """Return the state of the git repository that holds ``module``, with the changes to the code that it runs."""
    paths = {each.name: each.path for each in closure(module)}
    here = paths[module].parent if module in paths else None
    commit = here and _git(here, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+")
    root = here and _git(here, "rev-parse", "--show-toplevel")
    if not (here and commit and root):
        return Repository(None, None)
    files = [str(path) for path in paths.values() if path.is_relative_to(root)]
    untracked = (_git(here, "ls-files", "--others", "--full-name", "--", *files) or "").splitlines()
    diff = _git(here, "diff", "--no-color", "--no-ext-diff", "HEAD", "--", *files) or ""
    text = "\n".join([*filter(None, [_cut(diff)]), *(f"untracked: {each}" for each in untracked)])
    return Repository(commit if commit.endswith("+") or not untracked else f"{commit}+", text or None)


@functools.cache
def packages(module: str) -> dict[str, str]:
    """Return the versions of Python and of the installed packages that the code of ``module`` imports."""
    imported = {name.partition(".")[0] for each in closure(module) for name in each.imports}
    return {"python": platform.python_version()} | versions(sorted(imported - {"sweeper"}))


def versions(modules: Sequence[str]) -> dict[str, str]:
    """Return the versions of the installed packages that hold top-level modules, by the packages' names."""
    held = _distributions()
    names = sorted({name for module in modules for name in held.get(module, ())} - {"sweeper"})
    return {name: metadata.version(name) for name in names}


@functools.cache
def _distributions() -> Mapping[str, Sequence[str]]:
    """Return the names of installed packages by top-level module; cached, as it takes half a second."""
    return metadata.packages_distributions()


def _git(directory: Path, *arguments: str) -> str | None:
    """Return the output of git; None if it fails or is not installed."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=directory,
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _cut(diff: str) -> str:
    shown = diff.encode()[:DIFF_BYTES].decode(errors="ignore")
    return diff if shown == diff else f"{shown}\n… truncated after {DIFF_BYTES // 2**10} KiB"
