"""What a person typed, as MJML and as plain text; and the files that blocks are written in.

What was typed reaches MJML through `words` and `attribute` alone: Markdown and Liquid mean something in it,
nothing else does.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

from campaigns.messages import guards
from campaigns.messages.look import Look

_FOLDER = Path(__file__).resolve().parents[2] / "templates" / "mail"
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True, "breaks": True}).disable(
    ["image", "code", "fence", "html_block", "html_inline", "autolink", "entity"]
)
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\n]+)\)")
_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)


def words(typed: str) -> str:
    """For the inside of an `<mj-text>`: paragraphs, lists, **bold**, links; Liquid stays as it is."""
    masked = guards.mask(typed)
    html = _MARKDOWN.render(masked.text).strip()
    return masked.restore(html.replace("<p>", '<p style="margin:0 0 12px">'))


def plain(typed: str) -> str:
    """For the plain text part: marks left out, `words: address` for a link."""
    masked = guards.mask(typed)
    text = _EMPHASIS.sub(r"\2", _HEADING.sub("", _LINK.sub(r"\1: \2", masked.text)))
    return masked.restore(text).strip()


def attribute(typed: str) -> str:
    """For the value of an attribute in double quotes, or as text: on one line, Liquid stays as it is."""
    masked = guards.mask(line(typed))
    return masked.restore(escape(masked.text))


def line(typed: str) -> str:
    """On one line, for plain text."""
    return " ".join(typed.split())


def if_any(typed: str, mjml: str) -> str:
    """Sections that fall away where what was typed comes to nothing: a picture that somebody lacks."""
    if "{" not in typed:
        return mjml
    capture = f"{{% capture picture %}}{attribute(typed)}{{% endcapture %}}"
    return f'<mj-raw>{capture}{{% if picture != "" %}}</mj-raw>\n{mjml}\n<mj-raw>{{% endif %}}</mj-raw>'


def fill(name: str, look: Look | None = None, **values: str) -> str:
    """A file of `templates/mail/`, its `$names` replaced: what the look is made of, and these values, which
    have been through the functions above. A name that nothing stands for is an error, `$$` a dollar.
    """
    return _file(name).substitute((asdict(look) if look else {}) | values)


@cache
def _file(name: str) -> Template:
    return Template((_FOLDER / name).read_text().rstrip("\n"))
