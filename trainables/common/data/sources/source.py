"""Data sources: find one by name, identify its content, open its splits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sweeper import InvalidConfig
from trainables.common.data.settings import Data
from trainables.common.data.sources.data_files import content, from_home, listing
from trainables.common.data.sources.digits import DigitsSplit
from trainables.common.data.sources.hub import open_repository
from trainables.common.data.sources.image_folder import is_image, open_folder
from trainables.common.data.sources.labelled import Split
from trainables.common.data.sources.parquet import open_directory, open_file

DIGITS = "digits"
HUB_ID = re.compile(r"\w[\w.-]{0,95}(/\w[\w.-]{0,95})?")


def locate(source: str) -> Path | str:
    """Return where the data is: an absolute path, ``digits``, or an id on the Hugging Face hub.

    ``digits`` is always the embedded set. What exists as a path is one; so is what starts with ``.``, ``/`` or ``~``
    or ends with ``.parquet``. The rest is an id. Raises InvalidConfig for a path that does not exist, and for what can
    be neither.
    """
    if source == DIGITS:
        return source
    path = from_home(source)
    with suppress(OSError):  # such as a name longer than any file's
        if path.exists():
            return path.absolute()
    if source[0] in "./~" or path.suffix == ".parquet":
        raise InvalidConfig("data.source", f"{path} does not exist", fix="name a Parquet file or a directory of images")
    if not HUB_ID.fullmatch(source):
        message = f"'{source}' is neither a path here nor an id on the Hugging Face hub"
        raise InvalidConfig("data.source", message, fix="name a path, or an id such as uoft-cs/cifar100")
    return source


def fingerprint(data: Data) -> str:
    """Identify the content of the source, wherever it is. Local files are read, see `data_files.content`.

    A hub id is as good as its revision: without one, results are kept when the repository changes.
    Raises InvalidConfig for what does not exist.
    """
    place = locate(data.source)
    if isinstance(place, Path):
        return f"sha256:{content(place)}"
    return place if place == DIGITS else f"{place}@{data.revision or 'main'}"


def open_source(data: Data) -> Split | Mapping[str, Split]:
    """Open the splits by name, or the only one of a source that has no splits. Raises InvalidConfig."""
    place = locate(data.source)
    if place == DIGITS:
        return DigitsSplit()
    if isinstance(place, str):
        return open_repository(data)
    if place.is_file():
        return open_file(data, place)
    files = [name for name, _, _ in listing(place)]
    return (open_folder if is_image(files[0]) else open_directory)(data, place, files)
