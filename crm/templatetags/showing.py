"""Filters of our own pages."""

from django import template
from django.utils.safestring import SafeString

from crm.kernel import masking
from crm.shop import showing

register = template.Library()


@register.filter
def linked(words: object, url: str) -> SafeString:
    """The words as a link, where the address may be followed."""
    return showing.link(url or "", words)


@register.filter
def picture(url: str, of: object = "") -> SafeString:
    return showing.picture(url or "", of)


@register.filter
def money(amount: object, currency: str = "") -> str:
    return showing.money(amount, currency) if amount not in (None, "") else ""  # type: ignore[arg-type]


@register.filter
def signed(points: int) -> str:
    return showing.signed(points)


@register.filter
def address(whole: str) -> str:
    """An address as whoever reads the page may see it."""
    return masking.told(whole or "")
