"""Liquid for marketers: variables, conditions, loops and named filters over plain data, with hard limits.

A template sees dictionaries, lists, text, numbers and dates, never an object of ours. Two environments: HTML,
where every value is escaped, and plain text for subjects and text parts, where none is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.exceptions import LiquidError, LiquidSyntaxError, LoopIterationLimitError, ResourceLimitError
from liquid.expression import Expression
from liquid.utils import ReadOnlyChainMap

from campaigns.messages import filters

LONGEST_SOURCE = 200_000
LONGEST_OUTPUT = 1_000_000
_SPEND = 5_000_000  # characters through filters, a render
_LOOPS = 5_000  # iterations, a render, all loops together
_TAGS = {"if", "unless", "case", "for", "break", "continue", "assign", "capture", "comment", "#"}
_INNER = {
    "content",
    "output",
    "illegal",
}  # the parser's own names for text, {{ … }} and what it does not know
_RAW = re.compile(r"\{%-?\s*raw\b")


@dataclass(frozen=True, slots=True)
class Problem:
    line: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


class BrokenTemplate(ValueError):
    """The source cannot be used; `problems` says where and why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class RenderFailed(Exception):
    """A sound template that fails with this data, or oversteps its budget."""


class NotPlain(TypeError):
    """Something in the data is not plain data."""


class _Context(RenderContext):
    """Counts what a render costs; knows no clock (Liquid's own `now` would be the wall's)."""

    __slots__ = ("loops_done", "spent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = ReadOnlyChainMap(self.locals, self.globals)
        self.loops_done = self.spent = 0

    def raise_for_loop_limit(self, length: int = 1) -> None:
        super().raise_for_loop_limit(length)
        self.loops_done += length
        if self.loops_done > _LOOPS:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)

    def spend(self, weight: int) -> None:
        self.spent += weight
        if self.spent > _SPEND:
            raise ResourceLimitError("this template works too hard", token=None)


class _Template(BoundTemplate):
    context_class = _Context


class _Environment(Environment):
    template_class = _Template
    block_nesting_limit = 10
    context_depth_limit = 12
    loop_iteration_limit = 1_000
    local_namespace_limit = LONGEST_OUTPUT
    output_stream_limit = LONGEST_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in _TAGS | _INNER}
        filters.register(self)


HTML = _Environment(autoescape=True)
TEXT = _Environment(autoescape=False)


@lru_cache(maxsize=64)
def parse(source: str, *, html: bool) -> BoundTemplate:
    """The template, or `BrokenTemplate`."""
    if len(source) > LONGEST_SOURCE:
        raise BrokenTemplate(Problem(1, f"longer than {LONGEST_SOURCE} characters"))
    if raw := _RAW.search(source):
        raise BrokenTemplate(Problem(line_of(source, raw.start()), "raw is not available"))
    environment = HTML if html else TEXT
    try:
        template = environment.from_string(source)
        for node in nodes(template):
            for expression in node.expressions():
                _check(expression, environment)
    except LiquidError as error:
        raise BrokenTemplate(problem(error, source)) from error
    except RecursionError as error:
        raise BrokenTemplate(Problem(1, "nested too deeply")) from error
    return template


def _check(expression: Expression, environment: Environment) -> None:
    if isinstance(expression, FilteredExpression):
        for one in expression.filters or ():
            if one.name not in environment.filters:
                raise LiquidSyntaxError(f"there is no filter called {one.name}", token=one.token)
    # A range is made whole before any limit sees it, so its ends have to be plain, near numbers.
    if isinstance(expression, RangeLiteral):
        start, stop = expression.start, expression.stop
        if not (
            isinstance(start, IntegerLiteral)
            and isinstance(stop, IntegerLiteral)
            and stop.value - start.value <= filters.LONGEST_LIST
        ):
            raise LiquidSyntaxError(
                f"a range goes from one plain number to another, at most {filters.LONGEST_LIST} apart",
                token=expression.token,
            )
    for child in expression.children():
        _check(child, environment)


def nodes(template: BoundTemplate) -> Iterator[Node]:
    """Every node of the parsed template, in order."""
    static = RenderContext(template)
    stack = list(reversed(template.nodes))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(node.children(static, include_partials=False))))


def line_of(source: str, index: int) -> int:
    return source.count("\n", 0, max(0, index)) + 1


def problem(error: LiquidError, source: str) -> Problem:
    at = error.token.start_index if error.token is not None else 0
    return Problem(line_of(source, at), str(error.message or type(error).__name__))


def render(template: BoundTemplate, data: Mapping[str, object]) -> str:
    """The data must have been through `plain`."""
    try:
        return template.render(**data)
    except LiquidError as error:
        raise RenderFailed(str(error.message or type(error).__name__)) from error
    except (RecursionError, ArithmeticError, ValueError, TypeError, LookupError) as error:
        raise RenderFailed(f"{type(error).__name__}: {error}") from error


_PLAIN = frozenset((str, int, float, bool, type(None), Decimal, datetime, date))


def plain(value: object, path: str = "data", depth: int = 0) -> None:
    """Raises `NotPlain` unless this is plain data through and through.

    Exact types only: a subclass of str may claim to be safe HTML, one of dict may run code when it is read.
    """
    kind = type(value)
    if kind in _PLAIN:
        return
    if depth > 8:
        raise NotPlain(f"{path} is nested too deeply")
    if kind is dict:
        for key, one in value.items():  # type: ignore[attr-defined]
            if type(key) is not str:
                raise NotPlain(f"{path} has a key that is not text: {key!r}")
            plain(one, f"{path}.{key}", depth + 1)
    elif kind is list:
        for number, one in enumerate(value):  # type: ignore[arg-type]
            plain(one, f"{path}[{number}]", depth + 1)
    else:
        raise NotPlain(f"{path} is a {kind.__name__}")
