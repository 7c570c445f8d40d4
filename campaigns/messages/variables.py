"""What a message may speak of: every variable with an example, and whether a template keeps to them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from liquid import BoundTemplate, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.expression import Expression

from campaigns.messages.liquid import Problem, line_of


@dataclass(frozen=True, slots=True)
class Variable:
    """One value. What may be missing for some people has to be written with a fallback, or inside an `if`."""

    meaning: str
    example: object
    may_be_missing: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """Values under names that colleagues gave, all of one shape: `surveys.why_not.question`."""

    shape: Any
    example_name: str


_ANYTHING = Variable("", "")

VARIABLES: dict[str, Any] = {
    "contact": {
        "first_name": Variable("the person's first name", "Ana", may_be_missing=True),
        "last_name": Variable("the person's last name", "Oliveira", may_be_missing=True),
        "email": Variable("the person's address", "ana@example.com"),
    },
    "cart": {
        "lines": [
            {
                "name": Variable("the product", "Fjord 40 bookshelf speakers"),
                "url": Variable("the product's page", "https://shop.example.com/p/fjord-40"),
                "image": Variable(
                    "its picture", "https://shop.example.com/i/fjord-40.jpg", may_be_missing=True
                ),
                "quantity": Variable("how many", 1),
                "price": Variable("of one", Decimal("249.00")),
                "total": Variable("of all of them", Decimal("249.00")),
                "in_stock": Variable("whether it can still be bought", True),
            }
        ],
        "total": Variable("what the cart is worth", Decimal("249.00")),
        "currency": Variable("its currency", "EUR"),
        "item_count": Variable("how many things are in it", 1),
        "url": Variable("the shop's cart page", "https://shop.example.com/cart"),
    },
    "sender": {
        "name": Variable("the person who writes", "Mira Lund"),
        "role": Variable("what they do", "Customer care", may_be_missing=True),
        "email": Variable("where replies go", "mira@shop.example.com"),
        "phone": Variable("their telephone number", "+45 33 12 34 56"),
        "image": Variable("their picture", "https://shop.example.com/i/mira.jpg", may_be_missing=True),
    },
    "shop": {
        "name": Variable("the shop's name", "Hearth & Horn"),
        "postal_address": Variable("its postal address", "Nygade 4, 1164 København, Denmark"),
        "telephone": Variable("its telephone number", "+45 33 12 34 00", may_be_missing=True),
        "hours": Variable("when somebody answers", "Mon to Fri 9:00 to 17:00", may_be_missing=True),
        "url": Variable("its address on the web", "https://shop.example.com/"),
        "logo": Variable("its logo", "https://shop.example.com/i/logo.png", may_be_missing=True),
        "colour": Variable("its main colour", "#8a3b12"),
    },
    "links": {
        "restore": Variable("brings the cart back", "https://t.example.com/r/abc"),
        "unsubscribe": Variable("to stop these messages", "https://m.example.com/u/abc"),
        "preferences": Variable("to choose what to get", "https://m.example.com/p/abc"),
        "why": Variable("why they get this", "https://m.example.com/w/abc"),
    },
    "preheader": Variable("the line after the subject in the list of mails", "We kept it for you."),
    "now": Variable("the moment of sending", datetime(2026, 3, 2, 10, 0, tzinfo=UTC)),
}


def example(shape: Any = None, *, sparse: bool = False, used: Collection[str] = (), path: str = "") -> Any:
    """A whole context of examples; `sparse` leaves out all that may be missing.

    `used` are the paths a template speaks of (see `used`): whatever it calls by a name has an example.
    """
    shape = VARIABLES if shape is None else shape
    if isinstance(shape, Variable):
        return None if sparse and shape.may_be_missing else shape.example
    if isinstance(shape, list):
        return [example(one, sparse=sparse, used=used, path=path) for one in shape]
    if isinstance(shape, Named):
        asked = {one.removeprefix(f"{path}.").split(".")[0] for one in used if one.startswith(f"{path}.")}
        names = (asked - {EVERYTHING}) or {shape.example_name}
        return {name: example(shape.shape, sparse=sparse) for name in sorted(names)}
    return {
        name: example(one, sparse=sparse, used=used, path=f"{path}.{name}" if path else name)
        for name, one in shape.items()
    }


def nothing(shape: Any) -> Any:
    """What stands in the place of a shape for somebody of whom there is nothing to tell."""
    if isinstance(shape, Variable):
        return None
    if isinstance(shape, list):
        return []
    if isinstance(shape, Named):
        return {}
    return {name: nothing(one) for name, one in shape.items()}


def bare(shape: Any) -> Any:
    """What is always there and nothing else: no entry in any list, nothing that may be missing, no amount."""
    if isinstance(shape, Variable):
        if shape.may_be_missing:
            return None
        return type(shape.example)(0) if isinstance(shape.example, int | Decimal) else shape.example
    if isinstance(shape, list):
        return []
    if isinstance(shape, Named):
        return {}
    return {name: bare(one) for name, one in shape.items()}


def catalogue(shape: Mapping[str, Any] | None = None, path: str = "") -> Iterator[tuple[str, Variable]]:
    """`cart.total` and what it is, for the editor's list; entries of a list as `cart.lines[].name`."""
    for name, one in (VARIABLES if shape is None else shape).items():
        if isinstance(one, Variable):
            yield path + name, one
        elif isinstance(one, list):
            yield from catalogue(one[0], f"{path}{name}[].")
        elif isinstance(one, Named):
            yield from catalogue(one.shape, f"{path}{name}.{one.example_name}.")
        else:
            yield from catalogue(one, f"{path}{name}.")


EVERYTHING = "*"


def used(template: BoundTemplate) -> frozenset[str]:
    """What a template speaks of, two names deep: `cart.lines`, `surveys.why_not`, `recommend.similar`.

    `recommend.*` where it cannot be told which of the names below. Names of loops and of assigned values are
    the template's own: within `{% for product in viewed.products %}` it does not speak of `product`.
    """
    found: set[str] = set()
    _note_used(template.nodes, RenderContext(template), set(), found)
    return frozenset(found)


def _note_used(some: Iterable[Node], static: RenderContext, own: set[str], found: set[str]) -> None:
    for node in some:
        for expression in node.expressions():
            for one in _paths(expression):
                first, *rest = one.path
                below = rest[0] if rest and isinstance(rest[0], str) else EVERYTHING
                if first not in own:
                    found.add(f"{first}.{below}")
        if isinstance(node, AssignNode):
            own.add(str(node.name))
        inner = own | {str(node.expression.identifier)} if isinstance(node, ForNode) else set(own)
        _note_used(node.children(static, include_partials=False), static, inner, found)


def problems(template: BoundTemplate, source: str, shapes: Mapping[str, Any] | None = None) -> list[Problem]:
    """Variables that do not exist, and those that may be missing and have no fallback."""
    check = _Check(source, template)
    check.walk(template.nodes, dict(VARIABLES if shapes is None else shapes))
    return [*check.found, *check.without_fallback()]


class _Check:
    def __init__(self, source: str, template: BoundTemplate) -> None:
        self.source = source
        self.found: list[Problem] = []
        self._static = RenderContext(template)
        self._asked: set[str] = set()
        self._bare: list[tuple[int, str]] = []

    def walk(self, nodes: list[Node], scope: dict[str, Any]) -> None:
        for node in nodes:
            for expression in node.expressions():
                self._look(expression, scope)
            if isinstance(node, OutputNode):
                self._output(node.expression, scope)
            elif isinstance(node, AssignNode):
                scope[str(node.name)] = self._kind(node.expression, scope)
            elif not isinstance(node, ForNode):
                self._asked.update(str(path) for one in node.expressions() for path in _paths(one))
                scope.update({str(name): _ANYTHING for name in node.template_scope()})
            inner = scope
            if isinstance(node, ForNode):
                shape = self._shape(node.expression.iterable, scope)
                one = shape[0] if isinstance(shape, list) else _ANYTHING
                inner = scope | {node.expression.identifier: one, "forloop": _ANYTHING}
            self.walk(list(node.children(self._static, include_partials=False)), inner)

    def without_fallback(self) -> list[Problem]:
        return [
            Problem(
                line, f"{path} may be missing: write {{{{ {path} | default: '…' }}}} or put it inside an if"
            )
            for line, path in self._bare
            if path not in self._asked
        ]

    def _look(self, expression: Expression, scope: dict[str, Any]) -> None:
        for path in _paths(expression):
            if self._shape(path, scope) is None:
                line = line_of(self.source, path.token.start_index)
                self.found.append(Problem(line, f"there is no variable called {path}"))

    def _output(self, expression: Expression, scope: dict[str, Any]) -> None:
        if isinstance(expression, FilteredExpression) and isinstance(expression.left, Path):
            shape = self._shape(expression.left, scope)
            named = {one.name for one in expression.filters or ()}
            line = line_of(self.source, expression.left.token.start_index)
            if isinstance(shape, Variable):
                if shape.may_be_missing and "default" not in named:
                    self._bare.append((line, str(expression.left)))
            elif shape is not None and not named:
                self.found.append(Problem(line, f"{expression.left} is a group of values: name one of them"))

    def _kind(self, expression: Expression, scope: dict[str, Any]) -> Any:
        if isinstance(expression, FilteredExpression) and not expression.filters:
            return self._shape(expression.left, scope) or _ANYTHING
        return _ANYTHING

    def _shape(self, expression: Expression, scope: dict[str, Any]) -> Any:
        """What stands behind a path; None when nothing does."""
        if not isinstance(expression, Path):
            return _ANYTHING
        shape: Any = scope
        for segment in expression.path:
            if shape is _ANYTHING:
                return shape
            if isinstance(shape, list):
                if segment == "size":
                    return _ANYTHING
                if not isinstance(segment, int) and segment not in ("first", "last"):
                    return None
                shape = shape[0]
            elif isinstance(shape, dict) and isinstance(segment, str) and segment in shape:
                shape = shape[segment]
            elif isinstance(shape, Named) and isinstance(segment, str):
                shape = shape.shape
            elif isinstance(shape, Variable) and segment == "size":
                return _ANYTHING
            else:
                return None
        return shape


def _paths(expression: Expression) -> Iterator[Path]:
    if isinstance(expression, Path):
        yield expression
    for child in expression.children():
        yield from _paths(child)
