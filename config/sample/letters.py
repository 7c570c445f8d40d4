"""What the sample shop wrote in its year: a newsletter every four weeks, who clicked in it, and whom it asked
why they did not buy. The two campaigns are over; nothing of them is sent again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - seeded: a sample year is the same every time it is loaded
from typing import Any
from uuid import UUID, uuid4

from django.db.models import F, OuterRef, Subquery

from campaigns.flows import launching
from campaigns.flows.drafting import Message, Play, send
from campaigns.flows.playbooks.ask_why import SLUG, AskThemWhy
from campaigns.messages.pieces import HELLO, button, letter, recommended, text
from campaigns.models import Campaign, Delivery, DeliveryState, Enrolment, Sender, Survey, SurveyAnswer
from campaigns.results import attribution
from config.embedded.sample.records import Year
from config.sample.copying import copy_in
from crm.kernel import ids
from crm.models import Channel, ConsentEvent, ContactPoint, Engagement, Order
from tracking.models import Event, EventKind, Visit
from tracking.visits import rollups

NEWS_NAME, ASKED_NAME = "News (sample shop)", "Ask them why (sample shop)"
SEED = "letters"
EVERY = timedelta(days=28)
LAST = timedelta(days=4)  # So that those who clicked in the last one are asked why today.
READS_WITHIN = timedelta(hours=72)
CLICKED = 0.6  # Of the visits in those days so many came from the letter.
ASKED_AFTER, NOT_AGAIN = timedelta(hours=72), timedelta(days=90)
ANSWERED = 0.38
WEIGHTS = (34, 18, 14, 24, 10)  # Of the answers, as the survey has them in its order.
WORDS = {
    0: (
        "The same pair is 20 euros less elsewhere.",
        "Waiting for a price under 300.",
        "A bit much for a first turntable.",
        "",
        "",
    ),
    1: (
        "Would it be here before the weekend?",
        "Delivery to Norway costs too much.",
        "Can I pick it up?",
        "",
    ),
    2: ("I was looking for a wall bracket in white.", "No black version of the T3?", "", ""),
    3: ("", "", "My wife has to hear them first.", "Reading tests until Sunday."),
    4: ("I wanted to ask whether it plays 78s.", "Your page was slow on my phone.", ""),
}
NEWS = Message(
    name=NEWS_NAME,
    subject="What is new at {{ shop.name }}",
    preheader="New on our shelves, and picked for you.",
    blocks=letter(
        text("here is what came in since our last letter, picked by what you like.", heading=HELLO),
        recommended("fresh", "New, and picked for you", 4),
        button("Look around"),
        because="You get our news because you asked for it, at most once a week.",
    ),
)


class _News(Play):
    """A letter to everybody who wants the news, put in by hand."""

    label = NEWS_NAME
    help = "The sample's own: a letter every four weeks through the past year. It is over."
    trigger = "campaigns.by_hand"
    flow = (send("first-message", NEWS),)


@dataclass(frozen=True, slots=True)
class _Letter:
    """One message to one person; `clicked_at` where they came to the shop by it."""

    contact_id: UUID
    at: datetime
    clicked_at: datetime | None = None


def write(sender: Sender, now: datetime) -> None:
    """The whole past, as rows. The year must be loaded."""
    year = Year.before(now)
    chance = Random(SEED)
    news = _past(_News(), NEWS_NAME, sender, year)
    asked = _past(AskThemWhy(), ASKED_NAME, sender, year)
    letters = list(_letters(year, chance))
    _clicks(_sent(news, letters), letters)
    questions = list(_questions(letters, year))
    _answers(asked, _sent(asked, questions), year, chance)
    attribution.credit(now, year.begins_at)


def _past(play: Play, name: str, sender: Sender, year: Year) -> Campaign:
    """A campaign that began with the year and is over."""
    campaign = play.make(year.begins_at, name=name, sender=sender, control_share=0)
    launching.launch(campaign, "the sample shop", year.begins_at)
    return launching.stop(campaign, "the sample shop", year.ends_at, "part of the sample's past year")


def _letters(year: Year, chance: Random) -> Iterator[_Letter]:
    """Every four weeks to whoever wanted the news then. Some of the visits of the next days came by it."""
    readers = _readers()
    visits: dict[UUID, list[datetime]] = defaultdict(list)
    for contact_id, began in Visit.objects.filter(pages__gt=0).values_list("contact_id", "started_at"):
        visits[contact_id].append(began)
    at = year.ends_at - LAST + timedelta(hours=9)
    moments = []
    while at > year.begins_at:
        moments.append(at)
        at -= EVERY
    for moment in reversed(moments):
        for contact_id, since, until in readers:
            if since < moment and (until is None or moment < until):
                soon = [began for began in visits[contact_id] if moment < began <= moment + READS_WITHIN]
                came = min(soon) if soon and chance.random() < CLICKED else None
                yield _Letter(contact_id, moment, came)


def _readers() -> list[tuple[UUID, datetime, datetime | None]]:
    """Who wanted the news, from when until when."""
    said = ConsentEvent.objects.filter(purpose__key="newsletter", channel=Channel.EMAIL)
    terms: dict[bytes, dict[str, datetime]] = defaultdict(dict)
    for digest, action, at in said.values_list("address_hash", "action", "occurred_at"):
        terms[bytes(digest)][action] = at
    points = ContactPoint.objects.filter(channel=Channel.EMAIL).order_by("created_at", "address")
    found = []
    for contact_id, digest in points.values_list("contact_id", "address_hash"):
        if granted := terms[bytes(digest)].get("granted"):
            found.append((contact_id, granted, terms[bytes(digest)].get("withdrawn")))
    return found


def _sent(campaign: Campaign, letters: Iterable[_Letter]) -> dict[tuple[UUID, datetime], UUID]:
    """The messages as they stand when they have left, each with the run that sent it. Returns their public
    ids by person and moment.
    """
    assert campaign.current is not None
    step = campaign.current.steps.select_related("template").get(template__isnull=False)
    assert step.template is not None
    hashes = dict(
        ContactPoint.objects.filter(channel=Channel.EMAIL).values_list("contact_id", "address_hash")
    )
    runs: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for one in letters:
        run = ids.uuid7(one.at)
        runs.append(
            {
                "id": run,
                "contact_id": one.contact_id,
                "campaign_id": campaign.pk,
                "version_id": campaign.current_id,
                "entry": f"sample:{one.at:%Y%m%d%H%M%S}",
                "state": Enrolment.State.FINISHED,
                "step_position": step.position,
                "qualified_at": one.at,
                "entered_at": one.at,
                "finished_at": one.at,
            }
        )
        rows.append(
            {
                "public_id": uuid4(),
                "dedupe_key": f"j:{run}:{step.key}:1",
                "contact_id": one.contact_id,
                "address_hash": hashes[one.contact_id],
                "purpose_id": campaign.purpose_id,
                "sender_id": campaign.sender_id,
                "campaign_id": campaign.pk,
                "step_key": step.key,
                "enrolment_id": run,
                "template_id": step.template_id,
                "template_version_id": step.template.current_id,
                "counts": True,
                "due_at": one.at,
                "not_before": one.at,
                "created_at": one.at,
            }
        )
    copy_in(Enrolment, runs)
    copy_in(Delivery, rows)
    # A delivery takes only the edges there are, also in a story.
    found = Delivery.objects.filter(campaign=campaign)
    for state in (DeliveryState.CLAIMED, DeliveryState.SENDING):
        found.update(state=state)
    found.update(state=DeliveryState.SENT, attempts=1, fenced_at=F("due_at"), finished_at=F("due_at"))
    return {(row["contact_id"], row["due_at"]): row["public_id"] for row in rows}


def _clicks(sent: dict[tuple[UUID, datetime], UUID], letters: Iterable[_Letter]) -> None:
    rows = [
        {
            "id": ids.uuid7(one.clicked_at),
            "contact_id": one.contact_id,
            "kind": EventKind.CLICK,
            "ref": sent[one.contact_id, one.at],
            "occurred_at": one.clicked_at,
            "recorded_at": one.clicked_at,
            "is_backfill": True,
        }
        for one in letters
        if one.clicked_at
    ]
    copy_in(Event, rows)
    people = {one.contact_id for one in letters if one.clicked_at}
    newest = Event.objects.filter(contact=OuterRef("contact"), kind=EventKind.CLICK).order_by("-occurred_at")
    Engagement.objects.filter(contact__in=people).update(
        last_click_at=Subquery(newest.values("occurred_at")[:1])
    )
    rollups.recount(people)


def _questions(letters: Iterable[_Letter], year: Year) -> Iterator[_Letter]:
    """Three days after a click without an order, at most once in ninety days."""
    orders: dict[UUID, list[datetime]] = defaultdict(list)
    for contact_id, at in Order.objects.values_list("contact_id", "occurred_at"):
        orders[contact_id].append(at)
    asked: dict[UUID, datetime] = {}
    for one in letters:
        if one.clicked_at is None:
            continue
        at = one.clicked_at + ASKED_AFTER
        before = asked.get(one.contact_id)
        if at >= year.ends_at or (before and at < before + NOT_AGAIN):
            continue
        if not any(one.clicked_at <= order <= at for order in orders[one.contact_id]):
            asked[one.contact_id] = at
            yield _Letter(one.contact_id, at)


def _answers(campaign: Campaign, sent: dict[tuple[UUID, datetime], UUID], year: Year, chance: Random) -> None:
    survey = Survey.objects.get(slug=SLUG)
    choices = list(survey.choices.all())
    rows = []
    numbers = dict(Delivery.objects.filter(campaign=campaign).values_list("public_id", "pk"))
    for (contact_id, asked_at), public_id in sent.items():
        at = asked_at + timedelta(minutes=chance.randint(4, 2_000))
        if chance.random() >= ANSWERED or at >= year.ends_at:
            continue
        place = chance.choices(range(len(WEIGHTS)), WEIGHTS)[0]
        rows.append(
            {
                "id": ids.uuid7(at),
                "contact_id": contact_id,
                "survey_id": survey.pk,
                "choice_id": choices[place].pk,
                "delivery_id": numbers[public_id],
                "campaign_id": campaign.pk,
                "question": survey.question,
                "label": choices[place].label,
                "words": chance.choice(WORDS[place]),
                "occurred_at": at,
                "recorded_at": at,
                "is_backfill": True,
            }
        )
    copy_in(SurveyAnswer, rows)
