"""Addresses that go into messages: clicks that lead to stored targets, the open's picture, the way back to
a cart.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings

from crm.models import ShopSettings
from tracking.mail import tokens
from tracking.models import Link

_LONGEST = 2000


class KnownCart(Protocol):
    """What a restore address needs of a cart."""

    id: UUID
    contact_id: UUID


def store(urls: Iterable[str]) -> dict[str, int]:
    """The number of each address, stored once; two queries however many. Leaves out what no browser should
    open.
    """
    hashes = {hashlib.sha256(url.encode()).digest(): url for url in urls if _is_web(url)}
    if not hashes:
        return {}
    found = _numbers(hashes)
    missing = [Link(url=url, sha256=sha256) for sha256, url in hashes.items() if url not in found]
    if missing:
        Link.objects.bulk_create(missing, ignore_conflicts=True)
        found = _numbers(hashes)
    return found


def click_urls(ref: UUID, contact_id: UUID | None, urls: Iterable[str]) -> dict[str, str]:
    """For each address the one that is counted as a click of this delivery. For many deliveries: `store`,
    then `click_url`.
    """
    return {url: click_url(link_id, ref, contact_id) for url, link_id in store(urls).items()}


def click_url(link_id: int, ref: UUID, contact_id: UUID | None) -> str:
    return f"{settings.REKINDLE_COLLECT_URL}/k/{tokens.sign_click(link_id, ref, contact_id)}"


def open_url(ref: UUID, contact_id: UUID | None) -> str:
    return f"{settings.REKINDLE_COLLECT_URL}/o/{tokens.sign_open(ref, contact_id)}"


def restore_url(cart: KnownCart, ref: UUID | None, shop: ShopSettings | None = None) -> str:
    """The shop's page that offers to bring this cart back; blank where the shop named none."""
    shop = shop or ShopSettings.objects.filter(pk=1).first()
    if shop is None or not shop.cart_restore_url:
        return ""
    parts = urlsplit(shop.cart_restore_url)
    query = f"{parts.query}&" if parts.query else ""
    token = tokens.sign_restore(cart.id, cart.contact_id, ref)
    return urlunsplit(parts._replace(query=f"{query}token={token}"))


def _numbers(hashes: dict[bytes, str]) -> dict[str, int]:
    rows = Link.objects.filter(sha256__in=list(hashes)).values_list("sha256", "id")
    return {hashes[bytes(sha256)]: link_id for sha256, link_id in rows}


@lru_cache(maxsize=4096)
def _is_web(url: str) -> bool:
    if not url or len(url) > _LONGEST or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
