"""Every block there is, for somebody with everything and somebody with nothing: sound, small and ours."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from tinyhtml5.parser import HTMLParser as Strict

from campaigns.messages import composing, mjml, rendering, variables
from campaigns.messages.compiling import Rendered
from campaigns.messages.kinds import blocks, facts
from campaigns.messages.look import PLAIN
from campaigns.models import Survey, TemplateVersion

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS = {"shop.example.com", "t.example.com", "m.example.com", "example.invalid"}
FOOTER = "campaigns.footer"


class Addresses(HTMLParser):
    """Every address that a mail program fetches or leads to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", html)
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src", "background") and value]


def params_of(kind):
    found = kind.shown()
    if found is None and Survey.objects.first() is None:
        Survey.objects.create(slug="why_not", question="Why not?", created_at=NOW)
    if found is None:
        choices = {
            name: str(next(iter(field.queryset)).slug)
            for name, field in kind.Params.base_fields.items()
            if hasattr(field, "queryset")
        }
        found = kind.blank() | dict(kind.example) | choices
    return found


def version_of(*stored) -> TemplateVersion:
    made = composing.made_of(stored, PLAIN)
    return TemplateVersion(subject="s", html=mjml.compile_html(made.mjml), mjml=made.mjml, text=made.text)


def for_everything(version) -> Rendered:
    used = rendering._compiled(version).used
    shapes = variables.VARIABLES | {fact.name: fact.shape for fact in facts}
    return rendering._compiled(version).render(variables.example(shapes, used=used))


def everyone(version):
    return [for_everything(version), rendering.preview_of_nobody(version, NOW)]


def all_blocks():
    kinds = sorted(blocks, key=lambda kind: (kind.place, kind.label))
    return [{"kind": kind.key, "params": params_of(kind)} for kind in kinds]


@pytest.mark.parametrize("key", [*(kind.key for kind in blocks), "all of them"])
def test_a_block_is_sound_small_and_speaks_of_nobody_elses_host(key, db):
    if key == "all of them":
        stored = all_blocks()
    else:
        stored = [{"kind": key, "params": params_of(blocks.get(key))}]
        if key != FOOTER:
            stored.append({"kind": FOOTER, "params": blocks.get(FOOTER).blank()})
    for shown in everyone(version_of(*stored)):
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
