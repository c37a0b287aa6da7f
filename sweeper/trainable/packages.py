"""The package of a trainable by its name: among the installed ones, or any that Python finds."""

from __future__ import annotations

import importlib
import importlib.util
import traceback
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import trainables
from sweeper.errors import SweeperError, first_line, nearest


def find_package(name: str) -> str:
    """Return the package called ``name`` below ``trainables``, or the importable one of that dotted name.

    Raises SweeperError where there is none, where it has no ``config`` module, and where importing that fails.
    """
    other = None
    if all(part.isidentifier() for part in name.split(".")):
        for module in (f"trainables.{name}", name):
            package = _find(name, module)
            if package and package.submodule_search_locations is not None and _find(name, f"{module}.config"):
                load(name, f"{module}.config")
                return module
            other = other or package
    raise _no_config(name, other) if other else _unknown(name)


def load(name: str, module: str) -> ModuleType:
    """Import a module of the trainable called ``name``. Raises SweeperError with the cause in one line."""
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise _broken(name, module, error) from None


def _find(name: str, module: str) -> ModuleSpec | None:
    """Find a module, which imports the packages that hold it."""
    package = module.rpartition(".")[0]
    try:
        if package:
            importlib.import_module(package)
        return importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        if f"{module}.".startswith(f"{error.name}."):  # it, or a package that holds it
            return None
        raise _broken(name, package, error) from None
    except Exception as error:
        raise _broken(name, package, error) from None


def _broken(name: str, module: str, error: Exception) -> SweeperError:
    message = f"trainable '{name}': importing {module} fails: {type(error).__name__}: {first_line(error)}"
    return SweeperError(f"{message} ({_place(error)})", fix=f"mend it: python -c 'import {module}' shows all of it")


def _place(error: Exception) -> str:
    """File and line where it was raised, without the frames of Python's import."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<frozen")]
    return f"{frames[-1].filename}:{frames[-1].lineno}"


def _no_config(name: str, found: ModuleSpec) -> SweeperError:
    if found.submodule_search_locations is None:
        message, fix = f"'{name}' is no package: {found.origin}", "make it a package with config.py and experiment.py"
    else:
        place = next(iter(found.submodule_search_locations), name)
        message = f"'{name}' is no trainable: {place} has no config.py"
        fix = "add one that offers Config and PRESETS"
    return SweeperError(message, fix=f"{fix}, or name another ({nearest(name, _known())})")


def _unknown(name: str) -> SweeperError:
    message = f"unknown trainable '{name}': neither an installed one nor a package in the working directory"
    fix = f"{nearest(name, _known())} (one of your own: run in the directory that holds it, or set PYTHONPATH)"
    return SweeperError(message, fix=fix)


def _known() -> list[str]:
    """Names of the installed trainables, and of packages in the working directory that look like one."""
    places = [*map(Path, trainables.__path__), Path.cwd()]
    found = [path.parent for place in places for path in sorted(place.glob("*/config.py"))]
    return list(dict.fromkeys(path.name for path in found if (path / "experiment.py").is_file()))
