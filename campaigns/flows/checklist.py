"""What must be right before a campaign may start, line by line, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.text import Truncator

from campaigns.flows import permitted, precautions, variants
from campaigns.flows.check import Check, Place
from campaigns.flows.kinds import steps, triggers
from campaigns.flows.permitted import May
from campaigns.messages import checking as blocks
from campaigns.messages import editing, kinds, rendering
from campaigns.models import Campaign, FlowVersion, Sender, Step, Template, TemplateVersion
from campaigns.offers import checking
from crm.kernel import rules
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models import Purpose, ShopSettings

__all__ = ["Check", "checklist"]


def checklist(
    campaign: Campaign,
    now: datetime,
    version: FlowVersion | None = None,
    *,
    expected: int | None = None,
    may: May | None = None,
) -> list[Check]:
    """All lines, of this version of the flow or the newest one. `expected` people on its first day need so
    many codes. Whoever wants to launch it says what they `may`.
    """
    version = version or campaign.versions.order_by("-number").first()
    rows = (
        list(
            version.steps.select_related("template__current", "offer").prefetch_related(
                "variants__template__current"
            )
        )
        if version
        else []
    )
    sender = campaign.sender or Sender.objects.filter(is_default=True).first()
    shop = ShopSettings.objects.filter(pk=1).first()
    return [
        Check("purpose", "What people agreed to", _purpose(campaign), note=str(campaign.purpose)),
        _lets_in(campaign, now),
        *_rules(campaign),
        *_steps(rows),
        *(permitted.lines(campaign, rows, may) if may else ()),
        *(_of_messages(sender, shop) if precautions.writes(rows) else ()),
        *_templates(rows),
        *_offers(campaign, rows, now, expected),
        *precautions.lines(campaign, rows, shop, expected),
    ]


def _purpose(campaign: Campaign) -> str:
    if not campaign.purpose.is_active:
        return f"“{campaign.purpose}” is no longer used: choose another purpose."
    if campaign.purpose.kind == Purpose.Kind.TRACKING:
        return f"“{campaign.purpose}” allows to track, not to write: choose a purpose for messages."
    return ""


def _lets_in(campaign: Campaign, now: datetime) -> Check:
    key, label = "trigger", "What lets people in"
    try:
        trigger = triggers.get(campaign.trigger)
        params = trigger.read(campaign.trigger_params)
    except UnknownKind:
        return Check(key, label, "Choose what lets people in.")
    except BrokenParams as broken:
        return Check(key, label, f"Mend its settings: {broken}.")
    # One that runs has let in those it was in time for.
    starts = campaign.state in (Campaign.State.DRAFT, Campaign.State.STOPPED)
    missed = trigger.missed(params, now) if starts else None
    if missed is None:
        return Check(key, label)
    return Check(key, label, missed.words) if missed.by_all else Check(key, label, warning=missed.words)


def _rules(campaign: Campaign) -> Iterator[Check]:
    subject = triggers.get(campaign.trigger).subject_kind if campaign.trigger in triggers else ""
    inside = rules.Scope(True, subject, True if subject else None).offers
    asked = {
        "entry_rule": ("Who may enter", campaign.entry_rule, inside - {rules.ENTERED_AT}),
        "exit_rule": ("When people leave early", campaign.exit_rule, inside),
        "goal": ("What counts as success", campaign.goal, inside),
    }
    for key, (label, rule, offers) in asked.items():
        if not rules.is_blank(rule):
            found = rules.problems(rule, offers)
            yield Check(key, label, str(found[0]) if found else "")


def _steps(rows: list[Step]) -> Iterator[Check]:
    if not any(row.kind in steps and steps.get(row.kind).does for row in rows):
        words = "Add a step that does something outside the flow: sends a message, gives, changes or tells."
        yield Check("steps", "The flow", words, "steps")
    for row in rows:
        problem, does = _step(row)
        yield Check(f"step:{row.key}", f"Step {row.position}", problem, "steps", row.pk, does)


def _step(row: Step) -> tuple[str, str]:
    """What keeps the step from working, and what it does."""
    try:
        kind = steps.get(row.kind)
        params = kind.read(row.params)
    except UnknownKind:
        return "Choose what happens here.", ""
    except BrokenParams as broken:
        return f"Mend its settings: {broken}.", ""
    if not rules.is_blank(row.only_if) and (found := rules.problems(row.only_if)):
        return f"Mend its condition: {found[0]}.", ""
    return next(iter(kind.problems(params, row)), ""), kind.sentence(params, row)


def _of_messages(sender: Sender | None, shop: ShopSettings | None) -> Iterator[Check]:
    """What a flow that writes to nobody does without."""
    yield _from(sender)
    yield Check("shop", "The shop's postal address", _shop(shop), "shop")


def _from(sender: Sender | None) -> Check:
    pk, name = (sender.pk, str(sender)) if sender else (None, "")
    return Check("sender", "Who it is from", _sender(sender), "sender", pk, note=name)


def _sender(sender: Sender | None) -> str:
    if sender is None:
        return "Choose who it is from."
    missing = [
        name
        for name, value in (
            ("a person", sender.person),
            ("an address for replies", sender.reply_to),
            ("a telephone number", sender.telephone),
        )
        if not value
    ]
    return f"Give the sender {' and '.join(missing)}." if missing else ""


def _shop(shop: ShopSettings | None) -> str:
    if shop is None or not shop.postal_address.strip():
        return "The law asks for a postal address in every message: write it into the shop's settings."
    return ""


def _templates(rows: list[Step]) -> Iterator[Check]:
    for template in {template for row in rows for _label, template in variants.messages_of(row)}:
        yield Check(
            f"template:{template.pk}",
            f"The message “{template}”",
            _template(template),
            "template",
            template.pk,
        )


def _offers(campaign: Campaign, rows: list[Step], now: datetime, expected: int | None) -> Iterator[Check]:
    for line in checking.lines(campaign, rows, now, expected):
        place: Place = "offer" if line.offer else "steps"
        about = line.offer or line.step
        pk = about.pk if about else None
        yield Check(line.key, line.label, line.problem, place, pk, warning=line.warning)


def _template(template: Template) -> str:
    version = template.current
    if version is None:
        return "Write the message."
    written: list[tuple[rendering.Kind, str]] = [
        ("subject", version.subject),
        ("preheader", version.preheader),
        ("mjml", version.mjml),
        ("text", version.text),
    ]
    shapes = kinds.shapes()
    for kind, source in written:
        # What the law asks for in every message has a line of its own.
        found = [
            one
            for one in (rendering.problems(source, kind, shapes) if source.strip() else ())
            if not one.message.startswith("every message needs")
        ]
        if found:
            return f"Mend its {_place(version, kind, found[0])}: {Truncator(str(found[0])).chars(200)}"
    if unknown := editing.unknown_names(dict(written)):
        return f"Mend its {unknown[0].field}: {unknown[0].message}"
    if not version.subject.strip():
        return "Give it a subject."
    return "" if version.html else "Save it once more, so that it is compiled."


def _place(version: TemplateVersion, kind: str, problem: rendering.Problem) -> str:
    """Which part of the message, or which block where it is made of blocks."""
    if not version.blocks or kind not in ("mjml", "text"):
        return kind
    return blocks.place(version.blocks, problem.line, in_text=kind == "text") or kind
