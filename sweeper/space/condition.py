"""Conditions that select trials, such as ``adapter.ratio == 1 or adapter.layers == '40-54'``.

A condition uses Python's syntax but is never executed by Python. Its tree may hold only comparisons, and, or, not,
arithmetic of numbers, literals and dotted names, and is evaluated here.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sweeper.errors import SweeperError, nearest

LONGEST = 1000
"""Characters of an expression at most: a longer one is a mistake, and slow to parse."""
EXAMPLE = "compare names and values, such as adapter.ratio == 1 or adapter.layers in ['0-64', '40-54']"
MEANT = {
    "true": "write True",
    "false": "write False",
    "none": "write None",
    "null": "write None",
    "case": "add cases to the space, or use another name",
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
ARITHMETIC: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
}


@dataclass(frozen=True)
class Condition:
    """A checked expression, and its location."""

    where: str
    text: str
    names: Collection[str]
    """The names that it refers to."""
    _tree: ast.expr
    _key: str

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Evaluate the condition for values by dotted name. Raises SweeperError if it cannot be evaluated."""
        try:
            found = _evaluate(self._tree, values)
        except (TypeError, ArithmeticError, RecursionError) as error:
            raise self._unanswered(str(error), values) from None
        if isinstance(found, bool):
            return found
        raise self._unanswered(f"expected true or false, got {found!r:.40}", values)

    def _unanswered(self, why: str, values: Mapping[str, Any]) -> SweeperError:
        here = ", ".join(f"{name} is {values[name]!r:.40}" for name in self.names)
        fix = f"compare values of the same type; here {here}" if here else EXAMPLE
        return SweeperError(f"{self._key}: {why}", fix=fix, where=self.where)


def parse_condition(text: str, known: Collection[str], where: str, key: str = "where") -> Condition:
    """Parse an expression over ``known`` names, the value of ``key`` at ``where``. Raises SweeperError if invalid."""
    if len(text) > LONGEST:
        message = f"{key}: the expression has {len(text):,} characters, the limit is {LONGEST:,}"
        raise SweeperError(message, fix="shorten it", where=where)
    line = " ".join(text.split("\n")).strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's warnings about code, such as "is" with a literal
            tree = ast.parse(line, mode="eval").body
        names = dict.fromkeys(_names(tree, line, where, key))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = error.offset if isinstance(error, SyntaxError) else None
        at = f" at character {offset}" if offset else ""
        raise SweeperError(f"{key}: not an expression{at}", fix=EXAMPLE, where=where) from None
    for name in names:
        if name not in known:
            fix = MEANT.get(name) or nearest(name, known)
            raise SweeperError(f"{key}: unknown name '{name}'", fix=fix, where=where)
    return Condition(where, line, names, tree, key)


def _names(node: ast.expr, line: str, where: str, key: str) -> Iterator[str]:
    """Yield the dotted names below a node. Raises SweeperError for syntax that a condition may not use."""
    if isinstance(node, ast.Name | ast.Attribute) and (name := _dotted(node)):
        yield name
        return
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str | int | float)):
        return
    for part in _parts(node, line, where, key):
        yield from _names(part, line, where, key)


def _parts(node: ast.expr, line: str, where: str, key: str) -> list[ast.expr]:
    match node:
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            return parts
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            return [operand]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in ARITHMETIC:
            return [left, right]
        case ast.Compare(left=left, ops=signs, comparators=rights) if all(type(sign) in COMPARISONS for sign in signs):
            return [left, *rights]
    text = ast.get_source_segment(line, node) or ""
    character = len(line.encode()[: node.col_offset].decode()) + 1
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    message = f"{key}: '{shown}' at character {character} is not allowed"
    raise SweeperError(message, fix=EXAMPLE, where=where)


def _dotted(node: ast.expr) -> str | None:
    """Return the dotted name, such as ``adapter.lr``, of a name or an attribute; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    owner = _dotted(node.value) if isinstance(node, ast.Attribute) else None
    return f"{owner}.{node.attr}" if owner and isinstance(node, ast.Attribute) else None


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """Evaluate a checked node. Raises TypeError or ArithmeticError if its operands do not fit."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name() | ast.Attribute():
            return values[_dotted(node) or ""]
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_truth(_evaluate(part, values)) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_truth(_evaluate(part, values)) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(_evaluate(operand, values))
        case ast.UnaryOp(operand=operand):
            return -_number(_evaluate(operand, values), "-")
        case ast.BinOp(left=left, op=sign, right=right):
            name, apply = ARITHMETIC[type(sign)]
            return apply(_number(_evaluate(left, values), name), _number(_evaluate(right, values), name))
        case ast.Compare(left=left, ops=signs, comparators=rights):
            return _compared(left, signs, rights, values)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_evaluate(part, values) for part in parts]
    raise AssertionError(ast.dump(node))


def _compared(left: ast.expr, signs: list[ast.cmpop], rights: list[ast.expr], values: Mapping[str, Any]) -> bool:
    """Evaluate a chain such as ``1 < a <= 3`` from the left, up to the first comparison that is false."""
    one = _evaluate(left, values)
    for sign, right in zip(signs, rights, strict=True):
        other = _evaluate(right, values)
        if not COMPARISONS[type(sign)](one, other):
            return False
        one = other
    return True


def _truth(value: Any) -> bool:
    """Return an operand of and, or, not. Raises TypeError unless it is a bool: ``a == 1 or 2`` is a mistake."""
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {value!r:.40}")
    return value


def _number(value: Any, sign: str) -> int | float:
    """Return a number. Raises TypeError for anything else: text could be multiplied to any length."""
    if not isinstance(value, int | float):
        raise TypeError(f"'{sign}' expects numbers, got {value!r:.40}")
    return value
