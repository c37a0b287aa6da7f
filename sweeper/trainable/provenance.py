"""What made an artifact: source, commit, packages. Recorded beside it, never part of its key."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import platform
import subprocess
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

PERFORMER = "sweeper.engine.worker"
PACKAGES = ("numpy", "pyarrow", "pydantic", "ray", "torch", "torchdiffeq")


@functools.cache
def source_hash(module: str) -> str:
    """SHA-256 of the code of ``module`` and of all it imports, at any depth, from its own top-level package.

    Comments, docstrings and formatting do not count.
    """
    package = module.partition(".")[0]
    trees: dict[str, str] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        if name not in trees and (path := _file(name)):
            tree = _without_docstrings(ast.parse(path.read_text()))
            trees[name] = ast.dump(tree)
            pending += [each for each in _imports(tree) if each.partition(".")[0] == package]
    return hashlib.sha256("\n".join(trees[name] for name in sorted(trees)).encode()).hexdigest()


def code_of(module: str) -> dict[str, str]:
    """Hashes of the code that makes a stage of ``module``: its own, and the orchestrator's part that performs it."""
    return {each: source_hash(each) for each in (PERFORMER, module)}


def other_code(code: Mapping[str, str]) -> str | None:
    """How the code here differs from that of `code_of` elsewhere; None where it does not."""
    for module, there in code.items():
        if (here := source_hash(module)) != there:
            has = f"has other code of {module}, {here[:12]}" if _file(module) else f"does not find {module}"
            return f"{platform.node()} {has}; where the sweep was started it is {there[:12]}"
    return None


@functools.cache
def commit() -> str | None:
    """Git commit of the project's tree, with ``+`` when files differ from it; None outside a checkout."""
    root = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],  # noqa: S607
            cwd=root, capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None


@functools.cache
def packages() -> dict[str, str]:
    """Versions of Python and of the packages that decide numbers."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _file(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return tree
