"""Campaign parameters on the links of a message that lead to the shop, for the shop's own statistics.

They say which campaign, step and message it was, never who. What a link says already stays as it is, and the
links by which people leave, or look at why they were written to, are left alone.
"""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.text import slugify

from campaigns.messages.counting import in_plain
from campaigns.models import BrandKit, Campaign, Delivery
from crm.models import ShopSettings

_HREF = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"]+)(")', re.IGNORECASE)
_NAMED = re.compile(r"\{(campaign|step|variant)\}")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Marks:
    """The parameters of one message, and the origins they are for."""

    pairs: tuple[tuple[str, str], ...] = ()
    origins: frozenset[str] = frozenset()

    def kept(self) -> dict[str, Any]:
        """As it is kept with the delivery, so that the message can be shown again as it was sent."""
        return {"pairs": [list(pair) for pair in self.pairs], "origins": sorted(self.origins)}

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Marks:
        if not kept:
            return NONE
        return cls(tuple((name, value) for name, value in kept["pairs"]), frozenset(kept["origins"]))


NONE = Marks()


def marks_of(deliveries: Sequence[Delivery], kit: BrandKit, shop: ShopSettings) -> dict[int, Marks]:
    """The marks of each delivery of a campaign, by its id; one query, and none where links are not marked."""
    if not kit.adds_parameters:
        return {}
    origins = shop_origins(shop)
    campaigns = {one.campaign_id for one in deliveries if one.campaign_id}
    names = dict(Campaign.objects.filter(pk__in=campaigns).values_list("pk", "name")) if campaigns else {}
    found: dict[tuple[int, str, str], Marks] = {}
    for one in deliveries:
        if one.campaign_id in names:
            key = (one.campaign_id, one.step_key, one.variant)
            if key not in found:
                found[key] = Marks(_pairs(kit, names[one.campaign_id], *key), origins)
    return {
        one.pk: found[one.campaign_id, one.step_key, one.variant]
        for one in deliveries
        if one.campaign_id in names
    }


def marked(html: str, text: str, marks: Marks) -> tuple[str, str]:
    """HTML and text with the parameters added to every link of the shop."""
    if not marks.pairs:
        return html, text

    def in_html(found: re.Match[str]) -> str:
        url = markup.unescape(found[2])
        more = with_marks(url, marks)
        return found[0] if more == url else f"{found[1]}{markup.escape(more)}{found[3]}"

    return _HREF.sub(in_html, html), in_plain(text, lambda url: with_marks(url, marks))


@lru_cache(maxsize=4096)
def with_marks(url: str, marks: Marks) -> str:
    """The address with what it does not say yet; as it is where it does not lead to the shop."""
    if origin(url) not in marks.origins or url.startswith(_ours()):
        return url
    whole, hash_, fragment = url.partition("#")
    before, _, query = whole.partition("?")
    there = {part.partition("=")[0].lower() for part in re.split("[&;]", query)}
    more = "&".join(f"{name}={value}" for name, value in marks.pairs if name not in there)
    if not more:
        return url
    joint = "&" if query and not query.endswith("&") else ""
    return f"{before}?{query}{joint}{more}{hash_}{fragment}"


def shop_origins(shop: ShopSettings) -> frozenset[str]:
    """The sites that are the shop's own."""
    return frozenset(map(origin, [shop.url, shop.cart_restore_url, *shop.allowed_origins])) - {""}


def _pairs(
    kit: BrandKit, name: str, campaign_id: int, step: str, variant: str
) -> tuple[tuple[str, str], ...]:
    values = {
        "campaign": slugify(name) or f"campaign-{campaign_id}",
        "step": slugify(step),
        "variant": slugify(variant),
    }
    wanted: Iterable[tuple[str, str]] = (
        ("utm_source", kit.source),
        ("utm_medium", kit.medium),
        ("utm_campaign", _filled(kit.campaign, values)),
        ("utm_content", _filled(kit.content, values)),
    )
    return tuple((name, quote(value, safe="")) for name, value in wanted if value)


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    filled = _NAMED.sub(lambda found: values[found[1]], pattern)
    # A part that came to nothing takes its joint with it.
    return re.sub(r"([-_.])[-_.]+", r"\1", filled).strip("-_.")[:_LONGEST]


def _ours() -> tuple[str, ...]:
    return tuple(f"{url}/" for url in (settings.REKINDLE_PUBLIC_URL, settings.REKINDLE_COLLECT_URL))


@lru_cache(maxsize=4096)
def origin(url: str) -> str:
    """Host and port. Scheme left out, for a shop answers to both; blank for what is no web address."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "\\" in parts.netloc or "@" in parts.netloc:
        return ""
    usual = {"http": 80, "https": 443}[parts.scheme]
    return host if port in (None, usual) else f"{host}:{port}"
