"""The one gate for everything a flow wants to say to a person, after consent: quiet hours, frequency limits,
and which of several messages goes first. (The offers of a day are taken where an offer is given, in
`campaigns.offers.granting`.)

Asked for a whole batch of one step, in a fixed number of queries; the guards at the fence ask again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from campaigns.delivery import quiet, rivals
from campaigns.delivery.frequency_guards import ANSWERS
from campaigns.delivery.limits import Said, full, said_lately
from campaigns.models import Campaign, ChannelLimit, Delivery, Enrolment, FrequencySettings
from crm.models import Channel, Contact, Engagement, Purpose
from crm.people.local_time import zones_of
from tracking.models import Cart

# Somebody else decides about this person at this very moment, or a better message is just leaving.
A_MOMENT = timedelta(seconds=5)
LET_IT_GO_FIRST = timedelta(minutes=2)
# A message that is good for ever does not wait for its turn longer than this.
LONGEST_TURN = timedelta(days=7)


@dataclass(frozen=True)
class Wish:
    """A message that wants to be sent, not stored yet, and whose run it is of."""

    person: Enrolment
    delivery: Delivery


@dataclass(frozen=True)
class No:
    """Not now: until when it waits, or that it is skipped where there is no `until`; why, in words.

    `about` tells one reason from another, so that somebody who waits is told once; blank: never. `since`
    moves the moment from which lateness counts. `joins`: until then it may join another message.
    """

    reason: str
    words: str = ""
    until: datetime | None = None
    about: str = ""
    since: datetime | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    joins: bool = False


def arbitrate(
    campaign: Campaign,
    wishes: Sequence[Wish],
    rules: FrequencySettings,
    now: datetime,
    *,
    asked_for: bool = False,
    may_join: Collection[int] = (),
) -> dict[UUID, No]:
    """Which of these messages of one step do not leave now, by their runs; all others may be queued. What
    people asked for waits for no limit and no other message. Those made from the templates `may_join` may
    join another message where they lose.

    Marks on every delivery what the fence needs to ask again. The people are locked until the transaction
    ends, so that two campaigns that decide at once see each other's messages; nobody waits for a lock.
    """
    case = _Case(campaign, wishes, rules, now, asked_for, may_join)
    return {wish.person.pk: no for wish in wishes if (no := case.answer(wish))}


class _Case:
    """Everything the answers to one batch rest upon, loaded once."""

    def __init__(
        self,
        campaign: Campaign,
        wishes: Sequence[Wish],
        rules: FrequencySettings,
        now: datetime,
        asked_for: bool,
        may_join: Collection[int],
    ) -> None:
        self.campaign = campaign
        self.asked_for = asked_for
        self.may_join = may_join
        self.rules = rules
        self.now = now
        self.counts = campaign.in_caps and campaign.purpose.kind == Purpose.Kind.MARKETING
        self.quiet = campaign.quiet_hours
        self.zones: dict[UUID, ZoneInfo] = {}
        self.limits: list[ChannelLimit] = []
        self.said: dict[UUID, list[Said]] = defaultdict(list)
        self.rivals: dict[UUID, rivals.Rival] = {}
        self.answering: set[UUID] = set()
        self.first_about_a_cart: dict[UUID, str] = {}
        if wishes and (self.counts or self.quiet):
            self._load(wishes)

    def _load(self, wishes: Sequence[Wish]) -> None:
        channel = wishes[0].delivery.channel
        people = {wish.person.contact_id for wish in wishes}
        contacts = Contact.objects.filter(pk__in=people).order_by("pk")
        if self.counts:
            contacts = contacts.select_for_update(skip_locked=True, no_key=True, of=("self",))
        names = dict(contacts.values_list("pk", "time_zone"))
        zones = zones_of(names.values())
        self.zones = {contact_id: zones[name] for contact_id, name in names.items()}
        if self.quiet:
            self.answering = _answering(wishes, self.rules, self.now, self.asked_for)
        if not self.counts:
            return
        if carts := [wish.person for wish in wishes if _may_pass(wish.delivery)]:
            self.first_about_a_cart = rivals.begin_with(carts, channel)
        self.limits = list(ChannelLimit.objects.filter(channel=channel))
        for one in said_lately(self.zones, channel, self.limits, self.now):
            if one.contact_id:
                self.said[one.contact_id].append(one)
        if self.rules.look_ahead_hours and not self.asked_for:
            until = self.now + timedelta(hours=self.rules.look_ahead_hours)
            self.rivals = rivals.better(self.campaign, channel, self.zones, self.now, until)

    def answer(self, wish: Wish) -> No | None:
        person, delivery = wish.person, wish.delivery
        if not (self.counts or self.quiet):
            return None
        if person.contact_id not in self.zones:
            return No("busy", until=self.now + A_MOMENT)
        if no := self._night(wish):
            return no
        if not self.counts or person.is_test:
            return None
        delivery.counts = True
        said = self.said[person.contact_id]
        # The first message about a cart is worth nothing tomorrow, and nobody minds it: plays.md. The second
        # is none of that, also where the first one could not be sent.
        delivery.passes_limits = self.asked_for or (
            self.first_about_a_cart.get(person.pk) == delivery.step_key
            and all(one.enrolment_id != person.pk for one in said)
        )
        no = None if delivery.passes_limits else self._too_much(delivery, said) or self._beaten(wish)
        if no is None:
            said.append(_about_to_leave(wish, self.campaign, self.now))
        return no

    def _night(self, wish: Wish) -> No | None:
        if not self.quiet:
            return None
        zone = self.zones[wish.person.contact_id]
        wish.delivery.quiet_zone = quiet.known_to_the_database(zone)
        until = quiet.opens_at(zone, self.now, self.rules)
        if until is None or wish.person.pk in self.answering:
            return None
        hours = f"{self.rules.allowed_from:%H:%M} to {self.rules.allowed_until:%H:%M}"
        words = f"It is {self.now.astimezone(zone):%H:%M} where they are; messages leave {hours}."
        evidence = {"until": until.isoformat(), "zone": zone.key}
        return No("quiet_hours", words, until, f"quiet:{until:%Y%m%d%H%M}", until, evidence)

    def _too_much(self, delivery: Delivery, said: Sequence[Said]) -> No | None:
        found = full(self.limits, said, delivery.purpose_id, self.now)
        if found is None:
            return None
        evidence = {"campaign": found.by.campaign_id, "limit": str(found.limit)}
        about = f"frequency:{found.limit.pk}:{found.by.campaign_id}"
        return self._loses(delivery, "frequency", found.words, found.free_at, about, evidence)

    def _beaten(self, wish: Wish) -> No | None:
        rival = self.rivals.get(wish.person.contact_id)
        if rival is None:
            return None
        until = max(rival.due_at, self.now) + LET_IT_GO_FIRST
        local = rival.due_at.astimezone(self.zones[wish.person.contact_id])
        when = "now" if rival.due_at <= self.now else f"at {local:%H:%M}"
        words = f"“{rival.name}” goes first{rival.because}: it is due to them {when}"
        evidence = {"campaign": rival.campaign_id, "due_at": rival.due_at.isoformat()}
        return self._loses(wish.delivery, "beaten", words, until, f"beaten:{rival.campaign_id}", evidence)

    def _loses(
        self,
        delivery: Delivery,
        reason: str,
        words: str,
        until: datetime,
        about: str,
        evidence: dict[str, Any],
    ) -> No:
        """A loser waits for its turn as long as it is good for, or is dropped at once."""
        good_until = delivery.not_after or delivery.due_at + LONGEST_TURN
        if self.campaign.when_beaten == Campaign.WhenBeaten.DROP:
            return No(reason, f"{words}. This campaign drops what has to wait.", evidence=evidence)
        if delivery.template_id in self.may_join and self.now < good_until:
            until = min(until, good_until)
            evidence = evidence | {"until": until.isoformat()}
            words = f"{words}. It joins the next message that has a place for it, or waits for its turn."
            return No(reason, words, until, about, evidence=evidence, joins=True)
        if until >= good_until:
            return No(reason, f"{words}. By then it is too late for this one.", evidence=evidence)
        evidence = evidence | {"until": until.isoformat()}
        return No(reason, f"{words}. It waits for its turn.", until, about, evidence=evidence)


def _may_pass(delivery: Delivery) -> bool:
    return delivery.channel == Channel.EMAIL and delivery.subject_kind == "cart"


def _about_to_leave(wish: Wish, campaign: Campaign, now: datetime) -> Said:
    return Said(
        wish.person.contact_id,
        None,
        now,
        wish.delivery.purpose_id,
        wish.person.pk,
        campaign.pk,
        campaign.name,
    )


def _answering(wishes: Sequence[Wish], rules: FrequencySettings, now: datetime, asked_for: bool) -> set[UUID]:
    """The runs whose e-mail answers what the person did in the shop a moment ago."""
    since = now - timedelta(minutes=rules.answers_minutes)
    asked = [
        wish
        for wish in wishes
        if wish.delivery.channel == Channel.EMAIL and (asked_for or wish.delivery.subject_kind in ANSWERS)
    ]
    if not asked:
        return set()
    people = {wish.person.contact_id for wish in asked}
    seen = set(
        Engagement.objects.filter(contact_id__in=people, last_seen_at__gte=since).values_list(
            "contact_id", flat=True
        )
    )
    carts = [wish.delivery.subject_id for wish in asked if wish.delivery.subject_kind == "cart"]
    changed = set(
        Cart.objects.filter(
            pk__in=filter(None, carts), contact_id__in=people, changed_at__gte=since
        ).values_list("pk", flat=True)
    )
    return {
        wish.person.pk
        for wish in asked
        if wish.person.contact_id in seen or wish.delivery.subject_id in changed
    }
