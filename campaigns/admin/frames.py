"""Messages shown inside the admin: in a sandboxed frame whose own policy runs nothing and fetches only
pictures of the shop and of our own library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html

from campaigns.messages.rendering import Rendered
from campaigns.models import Sender
from crm.models import Product
from crm.shop.settings import this_shop

_SCHEME = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)

# The examples of variables have pictures at an invented shop.
_EXAMPLE_PICTURE = re.compile(r'src="https://shop\.example\.com/[^"]*"')
_NO_PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='400' height='400'%3E"
    "%3Crect width='400' height='400' fill='%23d8cfc4'/%3E"
    "%3Ccircle cx='270' cy='150' r='70' fill='%23efe8df'/%3E"
    "%3Cpath d='M0 400V300l120-110 110 100 60-50 110 90v70z' fill='%23b9a894'/%3E%3C/svg%3E"
)


def policy() -> str:
    """Nothing runs, nothing is sent, nothing leads out; pictures come from the shop's own hosts alone."""
    return (
        f"default-src 'none'; img-src data: {' '.join(sorted(_picture_origins()))}; "
        "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
    )


def framed(html: str) -> HttpResponse:
    """A message as a response of its own, for a frame of the admin and for nothing else."""
    response = HttpResponse(html)
    response["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'self'; sandbox"
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def message(shown: Rendered, *, part: str, **more: Any) -> HttpResponse:
    """A message with its line in a list of mails above it: `desktop`, `phone`, `dark` or its plain `text`."""
    html = _EXAMPLE_PICTURE.sub(f'src="{_NO_PICTURE}"', shown.html)
    html = "" if part == "text" else document(in_scheme(html, is_dark=part == "dark"))
    return framed(
        render_to_string("campaigns/message_frame.html", more | {"shown": shown, "part": part, "html": html})
    )


def mistakes(found: Sequence[str]) -> HttpResponse:
    """Why there is nothing to be shown."""
    return framed(render_to_string("campaigns/message_frame.html", {"mistakes": found}))


def plain(text: str) -> HttpResponse:
    """The plain text of a message as it looks in a mail program."""
    page = '<!doctype html><meta charset="utf-8"><title>Plain text</title><pre style="{}">{}</pre>'
    style = (
        "white-space:pre-wrap;font:14px/1.5 ui-monospace,monospace;padding:1rem;color:#222;background:#fff"
    )
    return framed(format_html(page, style, text))


def in_scheme(html: str, *, is_dark: bool) -> str:
    """As a mail program in light or dark clothes would show it, whatever the reader's own system wears."""
    media = "all" if is_dark else "not all"
    return _SCHEME.sub(f"@media {media}", html)


def document(html: str) -> str:
    """A message for the `srcdoc` of a sandboxed frame, with its policy inside."""
    return format_html('<meta http-equiv="Content-Security-Policy" content="{}">', policy()) + html


def _picture_origins() -> set[str]:
    shop = this_shop()
    urls = [shop.url, shop.logo_url, *shop.allowed_origins]
    urls += Sender.objects.exclude(image_url="").values_list("image_url", flat=True)[:50]
    urls += Product.objects.exclude(image_url="").values_list("image_url", flat=True)[:500]
    # Our own collector counts opens: looking at a message here must not be one.
    found = {origin for url in urls if (origin := _origin(url))} - {_origin(settings.REKINDLE_COLLECT_URL)}
    return found | {f"{settings.REKINDLE_PUBLIC_URL}/i/"}


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not all(one.isalnum() or one in ".-" for one in host):
        return ""
    return f"{parts.scheme}://{host}:{port}" if port else f"{parts.scheme}://{host}"
