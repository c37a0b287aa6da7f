"""Read the file that names the classes to take."""

from __future__ import annotations

from pathlib import Path

from sweeper import InvalidConfig
from trainables.common.data.settings import Data
from trainables.common.data.sources.data_files import from_home


def read_class_list(data: Data) -> tuple[str, ...] | None:
    """Read the names of the classes in the order of their labels; None without a class list.

    Raises InvalidConfig for a file that is missing, no text, empty, repeats a name or does not name ``data.classes``.
    """
    if data.class_list is None:
        return None
    path = from_home(data.class_list)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _wrong_list(path, f"cannot be read: {reason}", "name a text file with a class on every line") from None
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise _wrong_list(path, "is empty", "write the name of a class on every line")
    repeated = next((name for position, name in enumerate(names) if name in names[:position]), None)
    if repeated is not None:
        raise _wrong_list(path, f"names '{repeated}' twice", "name every class once")
    if len(names) != data.classes:
        fix = f"set data.classes to {len(names)}, or change the list"
        raise _wrong_list(path, f"names {len(names)} classes, and data.classes is {data.classes}", fix)
    return names


def _wrong_list(path: Path, message: str, fix: str) -> InvalidConfig:
    return InvalidConfig("data.class_list", f"{path} {message}", fix=fix)
