"""Labels as the source has them, turned into the labels 0 … n-1 of the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from sweeper import InvalidConfig, nearest
from trainables.common.data.sources.labelled import Labels

LEFT_OUT = -1
SHOWN = 5


def class_labels(labels: Labels, names: Sequence[str] | None, classes: int, title: str) -> NDArray[np.int64]:
    """Return labels (N,) within 0 … ``classes`` - 1, or `LEFT_OUT`; every class has an image.

    With ``names`` the label of a class is its position there, and images of other classes are left out.

    Args:
        title: how messages call the split.

    Raises InvalidConfig.
    """
    if names is not None:
        chosen = _positions(labels, names)
    elif labels.ordered:
        chosen = _within(labels.values, classes, title)
    else:
        fix = "write the names into a file, one a line in the order of their labels, and set data.class_list to it"
        raise InvalidConfig("data.label_column", f"the labels of {title} are text, which has no order", fix=fix)
    counts = np.bincount(chosen[chosen != LEFT_OUT], minlength=classes)
    if not counts.all():
        raise _without_images(labels, names, counts, title)
    return chosen


def check_names(known: Sequence[str], names: Sequence[str] | None, classes: int, title: str) -> None:
    """Check the classes by name, before the labels are there; the arguments are those of `class_labels`.

    Raises InvalidConfig.
    """
    if names is None and len(known) != classes:
        fix = f"set data.classes to {len(known)}, or name the classes to take in data.class_list"
        raise InvalidConfig("data.classes", f"{title} has {len(known)} classes, and data.classes is {classes}", fix=fix)
    for name in names or ():
        if name not in known:
            message = f"class '{name}' is none of the {len(known)} classes of {title}"
            raise InvalidConfig("data.class_list", message, fix=_nearest(name, known))


def _nearest(name: str, known: Sequence[str]) -> str:
    """Do as `nearest` does, where there may be a thousand names."""
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return nearest(name, close or [*known[:SHOWN], *(["…"] if len(known) > SHOWN else [])])


def _positions(labels: Labels, names: Sequence[str]) -> NDArray[np.int64]:
    position = {name: label for label, name in enumerate(names)}
    values, inverse = np.unique(labels.values, return_inverse=True)
    table = [position.get(labels.name(int(value)) or "", LEFT_OUT) for value in values]
    return np.array(table, dtype=np.int64)[inverse]


def _within(values: NDArray[np.int64], classes: int, title: str) -> NDArray[np.int64]:
    wrong = np.flatnonzero((values < 0) | (values >= classes))
    if len(wrong):
        row, label = int(wrong[0]), int(values[wrong[0]])
        field = "data.classes" if label >= classes else "data.label_column"
        fix = f"set data.classes to {int(values.max()) + 1}, or name the classes to take in data.class_list"
        raise InvalidConfig(
            field,
            f"label {label} in row {row} of {title} is none of the {classes} classes 0 to {classes - 1}",
            fix=fix if label >= classes else "labels are whole numbers from 0; take rows without a class out",
        )
    return values


def _without_images(
    labels: Labels, names: Sequence[str] | None, counts: NDArray[np.int64], title: str
) -> InvalidConfig:
    missing, there = np.flatnonzero(counts == 0).tolist(), np.flatnonzero(counts).tolist()
    if names is not None:
        name = names[missing[0]]
        known = sorted({named for value in np.unique(labels.values).tolist() if (named := labels.name(value))})
        return InvalidConfig("data.class_list", f"class '{name}' has no images in {title}", fix=_nearest(name, known))
    if len(there) == 1:
        fix = "name another data.label_column, or data with two classes or more"
        return InvalidConfig("data.label_column", f"every image of {title} has the label {there[0]}", fix=fix)
    shown = ", ".join(map(str, missing[:SHOWN])) + (", …" if len(missing) > SHOWN else "")
    contiguous = there == list(range(len(there)))
    fix = f"set data.classes to {len(there)}" if contiguous else "number the labels from 0 without gaps"
    return InvalidConfig(
        "data.classes", f"{title} has images of {len(there)} of {len(counts)} classes, and none of {shown}", fix=fix
    )
