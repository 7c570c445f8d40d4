"""What must be right about the offers of a campaign before it may start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from campaigns.flows import variants
from campaigns.messages import compiling, kinds
from campaigns.models import Campaign, Coupon, Enrolment, Offer, Step, Template
from campaigns.offers.sources import source_of

LATELY = timedelta(days=30)
FACT = "campaigns.offer"


@dataclass(frozen=True)
class Line:
    """One line of the checklist about an offer, or about a step whose message speaks of one."""

    key: str
    label: str
    problem: str = ""
    offer: Offer | None = None
    warning: str = ""
    step: Step | None = None


def lines(
    campaign: Campaign, rows: Sequence[Step], now: datetime, expected: int | None = None
) -> Iterator[Line]:
    """A line for each offer of these steps, and one for each message whose step has none. `expected` people
    a day need so many codes.
    """
    offers = {row.offer_id: row.offer for row in rows if row.offer}
    if offers:
        free = _free(list(offers.values()))
        lately = Enrolment.objects.filter(
            campaign=campaign, is_test=False, entered_at__gt=now - LATELY
        ).count()
        for offer in offers.values():
            yield _line(offer, free.get(offer.pk, 0), lately, now, expected or 0)
    for row in rows:
        for _label, template in variants.messages_of(row) if row.offer is None else ():
            if speaks_of_an_offer(template):
                words = f"“{template}” speaks of an offer: choose one in step {row.position}, or take it out."
                yield Line(f"offer:{row.key}:{template.pk}", "The offer of a message", words, step=row)


def speaks_of_an_offer(template: Template) -> bool:
    """Whether the newest message of a template says anything of an offer."""
    version = template.current
    if version is None:
        return False
    with suppress(compiling.BrokenTemplate):
        ready = compiling.compiled(version.subject, version.html, version.text, version.preheader)
        return FACT in kinds.named(ready.used)
    return False


def _line(offer: Offer, free: int, lately: int, now: datetime, expected: int) -> Line:
    label = f"The offer “{offer}”"
    if (offer.ends_at is not None and offer.ends_at <= now) or not offer.is_active:
        return Line(f"offer:{offer.pk}", label, "It is over: give it a later end, or choose another.", offer)
    source = source_of(offer)
    if offer.codes != Offer.Codes.SINGLE or (source is not None and source.on_demand):
        return Line(f"offer:{offer.pk}", label, "", offer, _out_of_reach(offer, now))
    if not free:
        return Line(f"offer:{offer.pk}", label, "No code is left: import or make some.", offer)
    if free < expected:
        words = f"{free:,} codes are free for about {expected:,} people of the first day: make more."
        return Line(f"offer:{offer.pk}", label, words, offer)
    came = f"{lately:,} people came in during the last 30 days" if lately else "nobody came in so far"
    warning = _out_of_reach(offer, now)
    return Line(f"offer:{offer.pk}", f"{label}: {free:,} codes are free, {came}", "", offer, warning)


def _out_of_reach(offer: Offer, now: datetime) -> str:
    """What is to be said where people can hardly have had what comes before the offer on the ladder."""
    if not (offer.is_private and offer.follows_ladder and offer.rung > Offer.Rung.SMALL):
        return ""
    below = Offer.objects.running(now).filter(place=Offer.Place.MESSAGES, rung=offer.rung - 1)
    if below.exists():
        return ""
    return (
        f"It stands on rung {offer.rung} of the ladder, and no offer on rung {offer.rung - 1} is in use:"
        " whoever had none before does not get it. Put it on rung 1, or take “Follows the ladder” out."
    )


def _free(offers: Sequence[Offer]) -> dict[int, int]:
    pool = Coupon.objects.filter(offer__in=offers, state=Coupon.State.FREE).order_by()
    return dict(pool.values("offer").annotate(number=Count("pk")).values_list("offer", "number"))
