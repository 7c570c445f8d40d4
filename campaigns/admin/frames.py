"""Messages shown inside the admin: in a sandboxed frame whose own policy runs nothing and fetches only
pictures of the shop and of our own library.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.utils.html import format_html

from campaigns.models import Sender
from crm.models import Product
from crm.shop.settings import this_shop


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


def plain(text: str) -> HttpResponse:
    """The plain text of a message as it looks in a mail program."""
    page = '<!doctype html><meta charset="utf-8"><title>Plain text</title><pre style="{}">{}</pre>'
    style = (
        "white-space:pre-wrap;font:14px/1.5 ui-monospace,monospace;padding:1rem;color:#222;background:#fff"
    )
    return framed(format_html(page, style, text))


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
