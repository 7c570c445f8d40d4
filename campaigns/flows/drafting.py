"""What playbooks are made of: messages and steps as they are declared, and the draft they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.flows import variants
from campaigns.flows.kinds import ASKED_FOR, Playbook
from campaigns.flows.steps.send import SKIP, SendEmail
from campaigns.flows.steps.wait import Wait
from campaigns.messages import branding, editing
from campaigns.models import Campaign, FlowVersion, Offer, Sender, Step, Template
from crm.models import Purpose, Segment

DAY = timedelta(days=1)
Rule = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as it comes with the program, made of blocks."""

    name: str
    subject: str
    preheader: str
    blocks: Sequence[Mapping[str, Any]]

    def template(self, now: datetime) -> Template:
        """Made once: a second campaign starts from what the first one says by now."""
        template, made = Template.objects.get_or_create(name=self.name, defaults={"created_at": now})
        if made or template.current_id is None:
            editing.save_version(
                template,
                subject=self.subject,
                preheader=self.preheader,
                blocks=self.blocks,
                look=branding.this_look(),
                by=None,
                now=now,
            )
            template.refresh_from_db()
        return template


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A step to be made. Without a `key` it gets its kind's name and its place."""

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    path: str = ""
    only_if: Rule = field(default_factory=dict)
    message: Message | None = None
    variants: Mapping[str, Message] = field(default_factory=dict)
    offer: Offer | None = None
    expires_after: timedelta | None = None

    def lay(self, version: FlowVersion, position: int, now: datetime) -> Step:
        """Make it, with its messages."""
        row = Step.objects.create(
            version=version,
            key=self.key or f"{self.kind.rpartition('.')[2].replace('_', '-')}-{position}",
            position=position,
            kind=self.kind,
            params=dict(self.params),
            path=self.path,
            only_if=dict(self.only_if),
            template=self.message.template(now) if self.message else None,
            offer=self.offer,
            expires_after=self.expires_after,
        )
        if self.variants:
            compared = [(label, one.template(now)) for label, one in self.variants.items()]
            variants.keep(row, [variants.Wanted(label, template, 1) for label, template in compared])
        return row


def send(
    key: str, message: Message, *, needs_offer: bool = False, asked_for: bool = False, **more: Any
) -> Planned:
    """Send it; with `needs_offer`, only to whoever may have the offer of the step. What was `asked_for`
    passes the frequency limits.
    """
    params: dict[str, Any] = {"without_offer": SKIP} if needs_offer else {}
    if asked_for:
        params[ASKED_FOR] = "on"
    return Planned(kind=SendEmail.key, key=key, params=params, message=message, **more)


def compare(key: str, **more: Any) -> Planned:
    """Send one of several messages, to equal shares."""
    return Planned(kind=SendEmail.key, key=key, **more)


def wait(length: int, unit: str = "days", *, path: str = "") -> Planned:
    """Wait so long; with a path, only those on it."""
    return Planned(kind=Wait.key, params={"length": str(length), "unit": unit}, path=path)


def branch(*ways: tuple[str, Rule], otherwise: str) -> Planned:
    """Put people on the path of the first rule that is true of them, the others on the last."""
    params: dict[str, Any] = {"otherwise": otherwise}
    for number, (path, rule) in enumerate(ways, start=1):
        params |= {f"rule_{number}": dict(rule), f"path_{number}": path}
    return Planned(kind="campaigns.branch", params=params)


def then(kind: str, **more: Any) -> Planned:
    """Any other step."""
    return Planned(kind=kind, **more)


def true_of(kind: str, **params: Any) -> dict[str, Any]:
    """One condition of a rule."""
    return {"kind": kind, "params": params}


def all_of(*parts: Rule) -> dict[str, Any]:
    return {"all": list(parts)}


def any_of(*parts: Rule) -> dict[str, Any]:
    return {"any": list(parts)}


def none_of(*parts: Rule) -> dict[str, Any]:
    return {"none": list(parts)}


CAME_BACK = any_of(
    true_of("tracking.did_since_entering", event="page", times="1"),
    true_of("tracking.did_since_entering", event="product", times="1"),
)
"""A visit since they entered the flow."""


SOMETHING_IS_OPEN = any_of(
    true_of("crm.order_undone", what="either", times="1", within_days="30"),
    true_of("crm.tag", how="any", tag="complaint"),
)
"""Something went wrong for them lately: they have other things to hear from the shop than news. Colleagues
put the tag on while a complaint is open.
"""


SLIPPING = tuple(true_of("crm.stands", state=state) for state in ("at_risk", "lost"))
"""Beyond their own rhythm: they belong to the plays that win them back, and to no other news."""


def not_inside(*plays: str) -> dict[str, Any]:
    """Not inside campaigns of these plays, as far as there are such by now: they have something better to
    say.
    """
    flows = Campaign.objects.filter(playbook__in=plays).exclude(state=Campaign.State.STOPPED)
    inside = [true_of("campaigns.in_flow", campaign=str(pk)) for pk in flows.values_list("pk", flat=True)]
    return none_of(*inside) if inside else {}


def lately_in(*plays: str) -> list[dict[str, Any]]:
    """Entered a campaign of these plays in the last thirty days, as far as there are such by now; a condition
    each.
    """
    flows = Campaign.objects.filter(playbook__in=plays).values_list("pk", flat=True)
    asked = {"what": "entered", "within_days": "30"}
    return [true_of("campaigns.was_in_flow", campaign=str(pk), **asked) for pk in flows]


def segment(name: str, description: str, rule: Rule, now: datetime) -> Segment:
    """A segment that a play is for; made once, and theirs to change from then on."""
    defaults = {"description": description, "rule": dict(rule), "created_at": now}
    return Segment.objects.get_or_create(name=name, defaults=defaults)[0]


class Play(Playbook):
    """A playbook that is a declaration: what lets people in, for which purpose, how it stands among the other
    campaigns, and its steps.
    """

    purpose = "newsletter"
    trigger = ""
    trigger_params: Mapping[str, Any] = {}
    priority = 100
    entry_rule: Rule = {}
    exit_rule: Rule = {}
    exit_on_purchase = True
    reentry_days = 30
    expires_after = DAY
    quiet_hours = True
    flow: Sequence[Planned] = ()

    def settings(self, now: datetime) -> dict[str, Any]:
        """Fields of the campaign that name rows, such as a segment; the rows are made where they are missing.
        What a message speaks of is made here, too.
        """
        return {}

    def steps(self, now: datetime) -> Sequence[Planned]:
        """The steps, where they depend on what the shop has."""
        return self.flow

    def make(self, now: datetime, *, flow: Sequence[Planned] | None = None, **overrides: Any) -> Campaign:
        """A draft with its messages, or with this flow; `overrides` are fields of the campaign. A fifth of
        the people is held out, so that what it earns can be told from what would have been bought anyway.
        """
        usual: dict[str, Any] = {
            "name": self.label,
            "description": self.help,
            "purpose": Purpose.objects.get(key=self.purpose),
            "sender": Sender.objects.filter(is_default=True).first(),
            "trigger": self.trigger,
            "trigger_params": dict(self.trigger_params),
            "priority": self.priority,
            "entry_rule": dict(self.entry_rule),
            "exit_rule": dict(self.exit_rule),
            "exit_on_purchase": self.exit_on_purchase,
            "reentry_days": Decimal(self.reentry_days),
            "expires_after": self.expires_after,
            "quiet_hours": self.quiet_hours,
            "control_share": Decimal("0.2"),
        }
        with transaction.atomic():
            fields = usual | self.settings(now) | overrides
            campaign = Campaign.objects.create(playbook=self.key, created_at=now, **fields)
            version = FlowVersion.objects.create(campaign=campaign, number=1, created_at=now)
            for position, planned in enumerate(self.steps(now) if flow is None else flow, start=1):
                planned.lay(version, position, now)
        return campaign
