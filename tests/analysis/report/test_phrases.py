import pytest

from analysis.report.phrases import duration


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (179.7, "3 min 00 s"),
        (3599.6, "1 h 00 min"),
        (7199, "2 h 00 min"),
        (3_600_000, "1,000 h 00 min"),
    ],
)
def test_a_duration_never_tells_sixty_of_anything(seconds: float, told: str) -> None:
    assert duration(seconds) == told
