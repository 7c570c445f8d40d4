"""Values where escaping alone does not help: links, styles, and places where no value may stand at all.

Works on HTML that still holds its Liquid. `guard` gives every link and every style its filter, so that nobody
has to remember to; `problems` names what cannot be made safe that way, or what no mail program shows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from campaigns.messages.liquid import BrokenTemplate, Problem, line_of

LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
LIQUID_WORD = re.compile("lq([0-9]+)qq")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"([^\s=\"'/>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)

_LINKS = {"href", "src", "background", "action", "formaction", "poster", "cite", "data", "xlink:href"}
_FORBIDDEN = {
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "base",
    "input",
    "link",
    "svg",
    "math",
    "frame",
    "applet",
}
_STYLED = {"style", "bgcolor", "color", "background-color", "border", "width", "height"}
_STYLE_TRICKS = re.compile(r"url\(\s*['\"]?\s*lq|expression\(|javascript:", re.IGNORECASE)
_OPEN_LINK = re.compile(r"(?:https?://[^/?#\s]+[/?#]|mailto:|tel:|#)\S*", re.IGNORECASE)
_SAFE_LITERAL = re.compile(r"\s*(?:https?://|mailto:|tel:|#|cid:|$)", re.IGNORECASE)


@dataclass(slots=True)
class Masked:
    """A source whose Liquid was replaced by words, so that HTML and XML tools take it for text."""

    text: str
    tokens: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)  # where each stood in the source

    def restore(self, text: str, change: Callable[[int, str], str] | None = None) -> str:
        def back(found: re.Match[str]) -> str:
            number = int(found[1])
            token = self.tokens[number]
            return change(number, token) if change else token

        return LIQUID_WORD.sub(back, text)

    def place(self, at: int) -> int:
        """A place in the masked text as a place in the source."""
        for found in LIQUID_WORD.finditer(self.text, 0, at):
            at += len(self.tokens[int(found[1])]) - len(found[0])
        return at

    def numbers(self, text: str) -> list[int]:
        return [int(number) for number in LIQUID_WORD.findall(text)]


def mask(source: str) -> Masked:
    """Raises `BrokenTemplate` for a source that holds such a word of its own."""
    if found := LIQUID_WORD.search(source):
        raise BrokenTemplate(Problem(line_of(source, found.start()), f"{found[0]} cannot be used as text"))
    masked = Masked("")

    def word(found: re.Match[str]) -> str:
        masked.tokens.append(found[0])
        masked.places.append(found.start())
        return f"lq{len(masked.tokens) - 1}qq"

    masked.text = LIQUID.sub(word, source)
    return masked


@dataclass(slots=True)
class _Findings:
    filters: dict[int, str] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)  # what is wrong, and where in the examined text

    def add(self, at: int, message: str) -> None:
        self.wrong.setdefault(message, at)


def guard(masked: Masked, html: str) -> str:
    """The HTML with its Liquid back in place, links and styles filtered."""
    added = _examine(masked, html).filters

    def change(number: int, token: str) -> str:
        return f"{token[:-2].rstrip().removesuffix('-')} | {added[number]} }}}}" if number in added else token

    return masked.restore(html, change)


def problems(masked: Masked, source: str, html: str = "") -> list[Problem]:
    """Of the source itself, or of the `html` that a compiler made of it."""
    found = []
    for message, at in _examine(masked, html or masked.text).wrong.items():
        if html:
            near = masked.numbers(html[at : at + 500])
            line = line_of(source, masked.places[near[0]]) if near else 1
        else:
            line = line_of(source, masked.place(at))
        found.append(Problem(line, message))
    return found


def _examine(masked: Masked, html: str) -> _Findings:
    findings = _Findings()
    for style in _STYLE.finditer(html):
        if masked.numbers(style[1]):
            findings.add(style.start(), "a style sheet cannot hold variables: put the style on the element")
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _FORBIDDEN:
            findings.add(tag.start(), f"<{name}> is not allowed in a message")
        if LIQUID_WORD.search(name):
            findings.add(tag.start(), "a variable cannot name an element")
        for attribute in _ATTRIBUTE.finditer(tag[3]):
            _attribute(masked, attribute, tag.start(3) + attribute.start(), findings)
    for broken in re.finditer(r"<[a-zA-Z/][^<]*", _TAG.sub(lambda tag: " " * len(tag[0]), html)):
        findings.add(broken.start(), "a tag whose quotes or brackets do not match")
    return findings


def _attribute(masked: Masked, found: re.Match[str], at: int, findings: _Findings) -> None:
    name = found[1].lower()
    value = next((one for one in found.groups()[1:] if one is not None), "")
    named, inside = masked.numbers(name), masked.numbers(value)
    outputs = [number for number in inside if masked.tokens[number].startswith("{{")]
    if name.startswith("on") and len(name) > 2:
        findings.add(at, f"{name}: scripts are not allowed in a message")
    elif any(masked.tokens[number].startswith("{{") for number in named) or (found[4] and outputs):
        findings.add(at, "put the variable in quotes, as the value of an attribute")
    elif name in _LINKS:
        _link(masked, name, value.strip(), inside, at, findings)
    elif name == "srcset" and inside:
        findings.add(at, "srcset cannot hold variables")
    elif name in _STYLED:
        findings.filters.update(dict.fromkeys(outputs, "css"))
        if _STYLE_TRICKS.search(value):
            findings.add(at, "a style cannot take a picture from a variable")


def _link(masked: Masked, name: str, value: str, inside: list[int], at: int, findings: _Findings) -> None:
    if not inside:
        if not _SAFE_LITERAL.match(value):
            findings.add(at, f"a link has to begin with https:// (not {value[:40]!r})")
        return
    findings.filters.update(
        {number: "link_part" for number in inside if masked.tokens[number].startswith("{{")}
    )
    leading = LIQUID_WORD.split(value, maxsplit=1)[0]
    if not leading and not masked.tokens[inside[0]].startswith("{{"):
        findings.add(at, "a link cannot begin with a condition: put the condition around it")
    elif not leading:
        findings.filters[inside[0]] = "link" if name == "href" else "link: ''"
    elif not _OPEN_LINK.fullmatch(leading):
        findings.add(at, "a variable cannot choose where a link leads, only what follows the host")
