"""What a stage's body is given, without a sweep."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class KilledError(Exception):
    """The process died here."""


@dataclass
class FakeRun:
    """What a stage's body is given. It saves after step ``save_at`` and dies after step ``die_at``."""

    output: Path
    saved: Path | None = None
    save_at: int | None = None
    die_at: int | None = None
    device: str = "cpu"
    logged: list[tuple[int, int, dict[str, float]]] = field(default_factory=list)
    asked: int = 0

    @property
    def kept(self) -> Path:
        return self.output / "saved"

    def due(self) -> bool:
        self.asked += 1
        return self.asked == self.save_at

    def save(self, write: Callable[[Path], None]) -> None:
        self.kept.mkdir()
        write(self.kept)

    def log(self, step: int, total: int, **metrics: float) -> None:
        self.logged.append((step, total, metrics))
        if step == self.die_at:
            raise KilledError
