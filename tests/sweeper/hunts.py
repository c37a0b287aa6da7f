"""Searched spaces of the toy trainable."""

HUNT = """\
name: hunt
trainable: tests.tiny
preset: small
seeds: [0, 1]
search:
  distributions:
    branch.kind: {choice: [plus, minus]}
    branch.size: {int: [0, 7]}
  objectives: {score: maximise}
  trials: 6
"""
CASES = """\
name: hunt
trainable: tests.tiny
preset: small
seeds: [0, 1]
cases: {up: {branch.kind: plus, trunk.steps: 4}, down: {branch.kind: minus, branch.size: 2}}
search:
  distributions:
    case: {choice: [up, down]}
    branch.size: {int: [4, 6], when: "case != 'down'"}
    trunk.steps: {choice: [2, 3], when: "branch.kind == 'minus'"}
  objectives: {score: maximise}
  trials: 6
"""


def hunt(*changes: tuple[str, str], more: str = "") -> str:
    """HUNT with texts replaced, each of which it must hold, and more said of its search."""
    text = HUNT
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{old} is not there")
        text = text.replace(old, new)
    return f"{text}  {more}\n" if more else text
