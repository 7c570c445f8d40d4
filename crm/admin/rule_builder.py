"""The one address behind every rule that is being edited: its rows again, and whom it means by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse

from crm.access import reach
from crm.audience import previewing
from crm.kernel import clock, rules
from crm.kernel.rules import RuleField, form, rows
from crm.models import Channel, Contact
from crm.people import identity

EXAMPLES = 10
_CHANNELS = {Channel.EMAIL.value: "e-mail", Channel.SMS.value: "SMS"}


@dataclass(frozen=True)
class Tried:
    """One person held against the rule as it stands."""

    typed: str
    contact: Contact | None = None
    explanation: rules.Explanation | None = None


@dataclass(frozen=True)
class Panel:
    """What stands below the rows: how many, a few of them, in words, and one person's why.

    `left_out` conditions cannot be read and `within` ask of a run through a campaign: the count is of the
    others.
    """

    sentence: str
    is_blank: bool = False
    left_out: int = 0
    within: int = 0
    preview: previewing.Preview | None = None
    shows_people: bool = False
    tried: Tried | None = None

    @property
    def channels(self) -> list[tuple[str, int]]:
        counted: Mapping[str, int] = self.preview.by_channel if self.preview else {}
        return [(_CHANNELS.get(channel, channel), people) for channel, people in counted.items()]


def build(request: HttpRequest) -> HttpResponse:
    """Rows for what was pressed; or, for what was typed, the rows with whom they mean."""
    if not may_count(request.user):
        raise PermissionDenied
    name = request.POST.get("rule", "")
    if not form.is_name(name):
        raise BadRequest("no field of a rule is named")
    offers = form.known_offers(request.POST.get(f"{name}-offers", ""))
    posted = rows.Posted(name, request.POST, keeps_empty=True)
    shows_people = request.user.has_perm("crm.view_contact")
    typed = request.POST.get(f"{name}-try", "").strip()[:254] if shows_people else ""
    html = form.drawn(
        name,
        posted.document,
        offers,
        id=f"id_{name}",
        live=True,
        focus=posted.focus,
        may_try=shows_people,
        tried=typed,
        # Rows come and go at once; the count follows.
        panel=None if posted.focus else panel(posted.document, offers, shows_people, typed, clock.now()),
    )
    return HttpResponse(html, headers={"Cache-Control": "no-store"})


def may_count(user: Any) -> bool:
    """Whoever may see segments, or change something that keeps a rule."""
    if user.has_perm("crm.view_segment"):
        return True
    keepers = (model._meta for model in apps.get_models() if _keeps_a_rule(model))
    return any(
        user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}")
        for meta in keepers
        for verb in ("change", "add")
    )


def panel(
    document: dict[str, Any], offers: frozenset[str], shows_people: bool, typed: str, now: datetime
) -> Panel:
    saved = rows.without_empty(document)
    if rules.is_blank(saved):
        return Panel("", is_blank=True)
    readable, left_out = rows.readable(saved, offers)
    asked, within = rows.without(readable, _within_a_run(readable))
    return Panel(
        rules.sentence(saved),
        left_out=left_out,
        within=within,
        preview=None if rules.is_blank(asked) else previewing.preview(asked, now, limit=EXAMPLES),
        shows_people=shows_people,
        tried=try_person(typed, saved, now) if typed else None,
    )


def try_person(typed: str, rule: Any, now: datetime) -> Tried:
    """Why the person with this address is in or out, by a rule that may not be saved yet."""
    contact = contact_with(typed)
    if contact is None:
        return Tried(typed)
    row = Contact.objects.filter(pk=contact.pk)
    scope = rules.Scope(current=True, among=[contact.pk])
    return Tried(typed, contact, rules.explain(row, rule, now, scope))


def contact_with(typed: str) -> Contact | None:
    """The contact whose whole e-mail address was typed, in any spelling."""
    digest = identity.hash_of(typed) if typed else None
    if digest is None:
        return None
    return reach.seen(Contact.objects.filter(points__address_hash=digest, merged_into=None)).first()


def _within_a_run(document: dict[str, Any]) -> set[tuple[int, ...]]:
    if rules.is_blank(document):
        return set()
    leaves = rules.parse(document).leaves()
    return {leaf.path for leaf in leaves if rules.conditions.get(leaf.kind).needs}


def _keeps_a_rule(model: Any) -> bool:
    return any(isinstance(column, RuleField) for column in model._meta.fields)
