"""What is stored, shown on a page: never as markup, and as a link or a picture only over http or https."""

from __future__ import annotations

from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.shop.fitting import web_address


def link(url: str, words: object) -> SafeString:
    """A link where the address is one of ours or may be followed, else the words alone."""
    if url.startswith("/") and not url.startswith("//") and "\\" not in url:
        return format_html('<a href="{}" class="rk-link">{}</a>', url, words)
    safe = web_address(url)
    if not safe:
        return format_html("{}", words)
    return format_html('<a href="{}" class="rk-link" rel="noopener noreferrer">{}</a>', safe, words)


def picture(url: str, of: object = "") -> SafeString:
    """A small picture of a thing the shop sells; an empty frame where its address is none."""
    safe = web_address(url)
    if not safe:
        return format_html('<span class="rk-picture" aria-hidden="{}"></span>', "true")
    return format_html('<img class="rk-picture" src="{}" alt="{}" loading="lazy">', safe, of)


def money(amount: Decimal | None, currency: str = "") -> str:
    """An amount with its currency."""
    return "" if amount is None else f"{amount:,.2f} {currency}".strip()


def signed(points: int) -> str:
    """Points of a score: +10, −5."""
    return f"{points:+,}".replace("-", "−") if points else "0"
