"""Format amounts in sentences."""

from __future__ import annotations

MINUTE, HOUR = 60, 3600


def counted(number: int, what: str) -> str:
    """Format a count: ``1 trial``, ``1,200 trials``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Format a duration: ``4.2 s``, ``12 min 30 s``, ``3 h 05 min``."""
    if round(seconds, 1) < MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    if minutes < HOUR // MINUTE:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / MINUTE), HOUR // MINUTE)
    return f"{hours:,} h {minutes:02} min"


def moment(stamp: str) -> str:
    """Format a stage's time in ISO 8601 as ``2026-03-01 12:00 UTC``."""
    return stamp[:16].replace("T", " ") + " UTC"
