"""Format values for printing: in one line, in aligned columns, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = (), indent: str = "") -> list[str]:
    """Format rows as lines, with columns two spaces apart; those with an index in ``right`` are aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (indent + "  ".join(f"{cell:{'>' if i in right else '<'}{widths[i]}}" for i, cell in enumerate(row))).rstrip()
        for row in rows
    ]


def shown(value: Any) -> str:
    """Format a value of a config or a result in one line: numbers with six digits, None as ``none``."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(shown(each) for each in value)}]"
    if isinstance(value, dict):
        return json.dumps(value)
    return "none" if value is None else str(value)


def stage_name(label: str, params: Mapping[str, Any]) -> str:
    """Format a stage function with its plain parameters, such as ``train_adapter label=3 seed=0``."""
    return " ".join([label, *(f"{name}={value}" for name, value in params.items() if isinstance(value, int | str))])


def json_text(value: Any) -> str:
    """Format JSON for other programs: a number that is not finite becomes null."""
    return json.dumps(_finite(value), indent=1, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def clock(seconds: float) -> str:
    """Format seconds as ``4:07`` or ``1:02:09``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
