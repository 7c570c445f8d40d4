"""The plain text part, made from the HTML where nobody wrote one; Liquid and links stay in it."""

import re

from inscriptis import get_text
from inscriptis.model.config import ParserConfig

from campaigns.messages import guards

_SETTINGS = ParserConfig(display_links=True, display_images=False, display_anchors=False)
_HIDDEN = re.compile(r"<(head|style|title)\b.*?</\1>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_PREVIEW = re.compile(r'<div style="display:none[^>]*>.*?</div>', re.DOTALL)
_CONTROL = re.compile(r"[ \t]*(\{%.*?%\})[ \t]*", re.DOTALL)
_OWN_LINK = re.compile(r"\[([^\]\n]*)\]\(([^)\n]*)\)")
_BLANKS = re.compile(r"\n\s*\n\s*\n+")


def from_html(html: str) -> str:
    """HTML that still holds its Liquid as text that still holds it: `name (address)` for a link."""
    masked = guards.mask(_PREVIEW.sub("", _HIDDEN.sub("", html)))
    # Table layouts are for the eye; as text every cell is a line of its own.
    flat = re.sub(r"<(/?)(?:table|tbody|tr|td|th)\b[^>]*>", r"<\1div>", masked.text)
    text = get_text(f"<html><body>{flat}</body></html>", _SETTINGS)
    text = _OWN_LINK.sub(_written_out, text)
    lines = (line.strip() for line in text.splitlines())
    text = masked.restore(_BLANKS.sub("\n\n", "\n".join(lines)).strip() + "\n")
    return _CONTROL.sub(r"\1", text)


def _written_out(found: re.Match[str]) -> str:
    name, target = found[1].strip(), found[2].strip()
    return target if not name or name == target else f"{name}: {target}"
