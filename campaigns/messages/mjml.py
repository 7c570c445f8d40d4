"""MJML to HTML with the Liquid left in it, and mistakes told by their line.

The compiler overflows its stack on deep nesting, passes unknown components through and drops text it has no
place for; so the source is examined before and the result after.
"""

import re
from functools import lru_cache
from html.parser import HTMLParser

import mjml as compiler

from campaigns.messages import guards
from campaigns.messages.liquid import LONGEST_SOURCE, BrokenTemplate, Problem, line_of

_DEEPEST = 60
_VOID = {"area", "br", "col", "hr", "img", "meta", "source", "wbr"}
_COMPONENTS = {
    "mjml", "mj-head", "mj-body", "mj-title", "mj-preview", "mj-style", "mj-attributes", "mj-all",
    "mj-class", "mj-breakpoint", "mj-html-attributes", "mj-selector", "mj-html-attribute", "mj-raw",
    "mj-section", "mj-column", "mj-group", "mj-wrapper", "mj-hero", "mj-text", "mj-button",
    "mj-image", "mj-table", "mj-divider", "mj-spacer", "mj-social", "mj-social-element",
    "mj-navbar", "mj-navbar-link", "mj-accordion", "mj-accordion-element", "mj-accordion-title",
    "mj-accordion-text", "mj-carousel", "mj-carousel-image",
}  # fmt: skip
_POSITION = re.compile(r" in root template at position (\d+):(\d+)")


def compile_html(source: str) -> str:
    """The HTML, its links and styles guarded; raises `BrokenTemplate`."""
    masked, html, wrong = _compile(source)
    if wrong:
        raise BrokenTemplate(*wrong)
    return _short_lines(guards.guard(masked, html))


def problems(source: str) -> list[Problem]:
    return list(_compile(source)[2])


# What is checked is compiled next, and a list of what is to do before a launch asks on every page.
@lru_cache(maxsize=64)
def _compile(source: str) -> tuple[guards.Masked, str, tuple[Problem, ...]]:
    masked = guards.mask(source)
    if len(source) > LONGEST_SOURCE:
        return masked, "", (Problem(1, f"longer than {LONGEST_SOURCE} characters"),)
    structure = _Structure(masked, source)
    structure.feed(masked.text)
    structure.end()
    if wrong := structure.wrong or guards.problems(masked, source):
        return masked, "", tuple(wrong)
    try:
        html = compiler.mjml2html(masked.text, disable_comments=True, fonts={})
    except ValueError as error:
        return masked, "", (_refusal(masked, source, str(error)),)
    kept = set(masked.numbers(html))
    lost = [
        Problem(
            line_of(source, masked.places[number]),
            f"{token} stands where nothing is shown",
        )
        for number, token in enumerate(masked.tokens)
        if number not in kept and number not in structure.commented
    ]
    return masked, html, tuple(lost or guards.problems(masked, source, html))


def _refusal(masked: guards.Masked, source: str, message: str) -> Problem:
    found = _POSITION.search(message)
    if not found:
        return Problem(1, message.replace(" in root template", ""))
    start, end = int(found[1]), int(found[2])
    piece = masked.text[start:end]
    start += len(piece) - len(piece.lstrip())
    line = line_of(source, masked.place(start))
    return Problem(line, f"{message[: found.start()]}: {masked.restore(piece.strip())[:60]}")


class _Structure(HTMLParser):
    """Whether tags close as they open, are known, and are not nested beyond reason."""

    def __init__(self, masked: guards.Masked, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self.masked, self.source = masked, source
        self.wrong: list[Problem] = []
        self._open: list[tuple[str, int]] = []
        self.commented: set[int] = set()
        self._starts = [0, *(found.end() for found in re.finditer("\n", masked.text))]

    def _at(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column

    def _line(self, at: int | None = None) -> int:
        return line_of(self.source, self.masked.place(self._at() if at is None else at))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._known(tag)
        if tag not in _VOID:
            self._open.append((tag, self._at()))
            if len(self._open) == _DEEPEST:
                self.wrong.append(Problem(self._line(), f"more than {_DEEPEST} tags inside one another"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._known(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self._open or self._open[-1][0] != tag:
            if not self.wrong:
                opened = ""
                if self._open:
                    inner, at = self._open[-1]
                    opened = f": <{inner}> of line {self._line(at)} is still open"
                self.wrong.append(Problem(self._line(), f"</{tag}> closes nothing here{opened}"))
            return
        self._open.pop()

    def handle_comment(self, data: str) -> None:
        self.commented.update(self.masked.numbers(data))

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(Problem(self._line(), "a document type is not allowed"))

    def unknown_decl(self, data: str) -> None:
        self.handle_decl(data)

    def handle_pi(self, data: str) -> None:
        self.handle_decl(data)

    def end(self) -> None:
        self.close()
        if self._open and not self.wrong:
            tag, at = self._open[-1]
            self.wrong.append(Problem(self._line(at), f"<{tag}> is never closed"))

    def _known(self, tag: str) -> None:
        if tag == "mj-include" or (tag.startswith("mj") and tag not in _COMPONENTS):
            self.wrong.append(Problem(self._line(), f"<{tag}> is not a component that can be used here"))


def _short_lines(html: str) -> str:
    """One tag a line where the compiler writes none: mail allows 998 octets a line."""
    return re.sub(r">(?=</?(?:table|tr|td|tbody|style|meta|body)\b)", ">\n", html)
