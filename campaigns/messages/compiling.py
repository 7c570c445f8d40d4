"""From what a marketer wrote to a message ready to be rendered: check it, compile it once.

`problems(source, kind)` for the editor; `mjml.compile_html` when a version is saved; `compiled(...)` and
`Compiled.render(data)` when it is sent. Data is plain data in the shape of `kinds.shapes()`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from liquid import BoundTemplate

from campaigns.messages import liquid, mjml, text, variables
from campaigns.messages.liquid import BrokenTemplate, NotPlain, Problem, RenderFailed

__all__ = [
    "BrokenTemplate",
    "Compiled",
    "NotPlain",
    "Problem",
    "RenderFailed",
    "Rendered",
    "compiled",
    "problems",
]

Kind = Literal["subject", "preheader", "text", "mjml"]
type Shapes = Mapping[str, Any]
_LINE_KINDS = ("subject", "preheader")
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What falls away for somebody leaves its empty lines in the plain text.
_EMPTY = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_NEEDED = ("links.unsubscribe", "shop.postal_address")


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str
    text: str
    preheader: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A message ready to be rendered for one person after another."""

    subject: BoundTemplate
    preheader: BoundTemplate
    html: BoundTemplate
    text: BoundTemplate
    used: frozenset[str] = frozenset()

    def render(self, data: Mapping[str, object]) -> Rendered:
        """Raises `NotPlain` for data that is not plain and `RenderFailed` where a budget is overstepped."""
        whole = dict(data)
        liquid.plain(whole)
        preheader = one_line(liquid.render(self.preheader, whole))
        whole["preheader"] = preheader
        return Rendered(
            subject=one_line(liquid.render(self.subject, whole)),
            html=liquid.render(self.html, whole),
            text=_EMPTY.sub("\n\n", liquid.render(self.text, whole)).lstrip("\n"),
            preheader=preheader,
        )


@lru_cache(maxsize=256)
def compiled(subject: str, html: str, plain: str = "", preheader: str = "") -> Compiled:
    """`html` is the compiled message, not its MJML. Blank text is made from it. Raises `BrokenTemplate`."""
    whole = Compiled(
        subject=liquid.parse(subject, html=False),
        preheader=liquid.parse(preheader, html=False),
        html=liquid.parse(html, html=True),
        text=liquid.parse(plain or text.from_html(html), html=False),
    )
    parts = (whole.subject, whole.preheader, whole.html, whole.text)
    return replace(whole, used=frozenset().union(*map(variables.used, parts)))


def one_line(value: str) -> str:
    return _BREAKS.sub(" ", value).strip()


def problems(source: str, kind: Kind, shapes: Shapes | None = None) -> list[Problem]:
    """All that is wrong with what was written, by line; an empty list means that it may be sent.

    `shapes` is all a message may speak of, where that is more than the basics.
    """
    try:
        template = liquid.parse(source, html=kind == "mjml")
        found = variables.problems(template, source, shapes)
        if kind == "mjml":
            found += mjml.problems(source)
        if not found and kind == "mjml":
            template = liquid.parse(mjml.compile_html(source), html=True)
    except BrokenTemplate as broken:
        return list(broken.problems)
    if kind in _LINE_KINDS and "\n" in source.strip():
        found.append(Problem(1, f"a {kind} is one line"))
    if kind not in _LINE_KINDS:
        found += [
            Problem(1, f"every message needs {{{{ {name} }}}}") for name in _NEEDED if name not in source
        ]
    return sorted(found or _tried(template, shapes), key=lambda problem: problem.line)


def _tried(template: BoundTemplate, shapes: Shapes | None) -> list[Problem]:
    """Rendered once with every example and once with all that may be missing left out."""
    used = variables.used(template)
    for sparse in (False, True):
        try:
            liquid.render(template, variables.example(shapes, sparse=sparse, used=used))
        except RenderFailed as failed:
            return [Problem(1, str(failed))]
    return []
