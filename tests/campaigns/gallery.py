"""Messages of every block there is, for somebody with everything and for somebody with nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from tinyhtml5.parser import HTMLParser as Strict

from campaigns.messages import composing, mjml, rendering, variables
from campaigns.messages.compiling import Rendered, compiled
from campaigns.messages.kinds import Block, blocks, shapes
from campaigns.messages.look import PLAIN
from campaigns.models import Survey, TemplateVersion
from crm.models import ShopSettings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
# The last is where the shop itself is at home elsewhere: a link in its footer.
OURS = {"shop.example.com", "t.example.com", "m.example.com", "example.invalid", "social.example"}


def params_of(kind: Block) -> dict[str, Any]:
    """Parameters of an example; where somebody has to choose first, the first that can be chosen."""
    found = kind.shown()
    if found is not None:
        return found
    if not Survey.objects.exists():
        Survey.objects.create(slug="why_not", question="Why not?", created_at=NOW)
    chosen = {
        name: str(next(iter(field.queryset)).slug)
        for name, field in kind.Params.base_fields.items()
        if hasattr(field, "queryset")
    }
    return {**kind.blank(), **kind.example, **chosen}


def version_of(*stored: dict[str, Any]) -> TemplateVersion:
    made = composing.made_of(stored, PLAIN)
    return TemplateVersion(subject="s", html=mjml.compile_html(made.mjml), mjml=made.mjml, text=made.text)


def for_everybody(version: TemplateVersion) -> list[Rendered]:
    """As an example of everything gets it, and as somebody of whom nothing is known, from the same shop."""
    shop = variables.example()["shop"]
    ShopSettings.objects.update_or_create(
        pk=1, defaults={name: shop[name] for name in ("name", "url", "postal_address", "telephone", "colour")}
    )
    ready = compiled(version.subject, version.html, version.text)
    everything = ready.render(variables.example(shapes(), used=ready.used))
    return [everything, rendering.preview_of_nobody(version, NOW)]


def all_blocks() -> list[dict[str, Any]]:
    kinds = sorted(blocks, key=lambda kind: (kind.place, kind.label))
    return [{"kind": kind.key, "params": params_of(kind)} for kind in kinds]


class Addresses(HTMLParser):
    """Every address that a mail program fetches or leads to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", html)
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "background") and value]


def check(shown: Rendered) -> None:
    """It is sound and small, speaks of nobody else's host, and says how to stop it."""
    strict = Strict()
    strict.parse(shown.html)
    assert strict.errors == []
    assert len(shown.html.encode()) < 100_000
    hosts = {urlsplit(one).hostname for one in Addresses(shown.html).found if one.startswith("http")}
    assert hosts <= OURS
    for said in (shown.html, shown.text):
        assert "{{" not in said and "{%" not in said and "None" not in said
    assert "<" not in shown.text and "\n\n\n" not in shown.text
    assert "Unsubscribe: https://" in shown.text and "Nygade 4" in shown.html
    assert max(map(len, shown.html.encode().split(b"\n"))) <= 998
