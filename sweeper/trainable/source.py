"""The source code that a module runs: its own, and that of all user modules it imports, at any depth."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ORCHESTRATOR = "sweeper"
"""This package is followed only from its own modules; the code of the worker is hashed separately, see `code_of`."""


@dataclass(frozen=True)
class Module:
    """A module of source code."""

    name: str
    path: Path
    digest: str
    """SHA-256 of its code without comments, docstrings and formatting."""
    imports: tuple[str, ...]
    """Absolute names of its imports; a name may be that of a module or of an object in one."""


@functools.cache
def closure(module: str) -> tuple[Module, ...]:
    """Return the modules that ``module`` runs, sorted by name: itself, its packages, and all that they import.

    Modules of the standard library and of installed packages are excluded, except those of the module's own package.
    """
    home = _top(module)
    found: dict[str, Module] = {}
    seen: set[str] = set()
    pending = [module]
    while pending:
        name = pending.pop()
        if name in seen or not (_top(name) == home or _is_users(_top(name))):
            continue
        seen.add(name)
        pending += filter(None, [name.rpartition(".")[0]])
        if each := _read(name):
            found[name] = each
            pending += each.imports
    return tuple(found[name] for name in sorted(found))


@functools.cache
def source_hash(module: str) -> str:
    """Return the SHA-256 of the code of ``module`` and of all modules that it runs, see `closure`."""
    return hashlib.sha256("\n".join(f"{each.name} {each.digest}" for each in closure(module)).encode()).hexdigest()


def is_found(module: str) -> bool:
    """Check whether the module's source code can be found."""
    return _read(module) is not None


def _top(name: str) -> str:
    return name.partition(".")[0]


@functools.cache
def _is_users(package: str) -> bool:
    """Check that a top-level package or module is neither installed, of the standard library, nor the orchestrator."""
    if package == ORCHESTRATOR or package in sys.stdlib_module_names:
        return False
    path = _path(package)
    return path is not None and not any(path.is_relative_to(each) for each in _installed())


@functools.cache
def _installed() -> tuple[Path, ...]:
    """Return the directories of the standard library and of installed packages."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple({Path(each).resolve() for each in [*paths, *site.getsitepackages(), site.getusersitepackages()]})


@functools.cache
def _path(name: str) -> Path | None:
    """Return the file of a module, or the directory of a package without ``__init__.py``."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, SyntaxError):
        return None
    if spec and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin).resolve()
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]).resolve() if places else None


@functools.cache
def _read(name: str) -> Module | None:
    path = _path(name)
    if path is None or not path.is_file():
        return None
    code = path.read_bytes()
    try:
        tree = _without_docstrings(ast.parse(code))
    except (SyntaxError, ValueError):  # importing it raises the error, hashing does not
        return Module(name, path, hashlib.sha256(code).hexdigest(), ())
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return Module(name, path, hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(_imports(tree, package)))


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the names imported anywhere in the code, except under ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            for each in node.orelse:
                yield from _imports(each, package)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if base := _base(node, package):
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
        else:
            yield from _imports(node, package)


def _base(node: ast.ImportFrom, package: str) -> str | None:
    """Return the absolute name of the imported module; None for a relative import beyond the top-level package."""
    if not node.level:
        return node.module
    try:
        return importlib.util.resolve_name("." * node.level + (node.module or ""), package)
    except ImportError:
        return None


def _is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", None), getattr(test, "attr", None))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove strings that are statements of their own: docstrings, of attributes too, do nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _is_string(each)]
    return tree


def _is_string(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
