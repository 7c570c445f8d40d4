"""The sample shop's sales desk: who works there, who gets a lead, and two weeks of hand-overs.

They are worked through day by day with the product's own rules as of that day, so that the board,
*Hand-overs* and a colleague's day say what would have happened. Nobody is told of any of it by e-mail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Max

from config.sample.shop import NotOurs
from config.sample.year import SOURCE
from crm.audience.leads import definitions, passing, qualifying, stages
from crm.audience.leads.batches import Course, work_on
from crm.audience.leads.scoring import lines_of
from crm.kernel.work import Budget
from crm.models import (
    Absence,
    AssignmentMember,
    AssignmentRule,
    DeskSettings,
    HandOver,
    Lead,
    LeadDefinition,
    Note,
    Notice,
    Role,
    Stage,
)
from crm.models.handing import working_days
from crm.people import desk
from crm.shop.hours import DeskHours
from crm.shop.settings import shop_zone
from tracking.models import Event

RULE_NAME = "Everybody in turn (sample shop)"
COLLEAGUES = {
    "sanne": ("Sanne", "Dekker", "sanne@lark-and-valve.example.com"),
    "joris": ("Joris", "Bakker", "joris@lark-and-valve.example.com"),
    "noor": ("Noor", "Visser", "noor@lark-and-valve.example.com"),
}
AWAY, STANDS_IN = "sanne", "noor"
ADDRESSES = [address for _first, _last, address in COLLEAGUES.values()]

OPEN_ON = [1, 2, 3, 4, 5, 6]
OPENS, CLOSES = time(9), time(18)
PAST = timedelta(days=14)
FRESH = timedelta(days=3)
"""Whoever did something since then is handed over when the sample is loaded, and waits for an answer."""

_NOTICED = timedelta(minutes=5)
_PATIENCE = 60.0  # Seconds for asking the next colleagues of one day; it takes milliseconds.

_Outcome, _Reason = Note.Outcome, HandOver.Reason


@dataclass(frozen=True)
class _Said:
    """What a colleague does about a lead, in minutes of the desk after they were asked."""

    after: int
    refuses: str = ""
    words: str = ""
    calls: int | None = None
    outcome: str = ""
    heard: str = ""


_COURSE: tuple[_Said | None, ...] = (
    _Said(25, calls=40, outcome=_Outcome.REACHED, heard="Wants to hear it in the listening room first."),
    None,
    _Said(50, refuses=_Reason.NOT_NOW, words="moves house first", calls=45, outcome=_Outcome.REACHED),
    _Said(70, calls=120, outcome=_Outcome.REACHED, heard="Asked about delivery; decides at the weekend."),
    _Said(15, calls=360, outcome=_Outcome.MESSAGE, heard="Left a message with the shop's number."),
    _Said(90, refuses=_Reason.NOT_REACHED, calls=60, outcome=_Outcome.NOT_REACHED),
    _Said(105),
)
"""One after another, and again from the beginning. None: no answer in time, so the next one is asked."""
_AFTER_SILENCE = _Said(30, calls=65, outcome=_Outcome.REACHED, heard="Compares two of them; call again.")


def open_desk(definition: LeadDefinition, now: datetime) -> None:
    """All of the desk, from the colleagues to the leads that wait for an answer. The year must be there."""
    told = set(Notice.objects.values_list("pk", flat=True))
    DeskSettings.objects.filter(pk=1).update(weekdays=OPEN_ON, opens_at=OPENS, closes_at=CLOSES)
    crew = _hire()
    _say_who_gets_leads(definition, crew, now)
    _work_through_the_past(definition, now)
    qualifying.refresh(definition, now, whole=True)
    _plan_calls(definition, now)
    Notice.objects.exclude(pk__in=told).delete()


def _hire() -> dict[str, Any]:
    """The colleagues. They have no password, so nobody can log in as one until they are given one."""
    users = get_user_model().objects
    role = Role.objects.filter(key="sales").select_related("group").first()
    crew = {}
    for name, (first, last, address) in COLLEAGUES.items():
        user = users.filter(username=name).first()
        if user is not None and user.email != address:
            raise NotOurs(f"Somebody called {name} works here; the sample's own {name} does not move in.")
        crew[name] = user or users.create_user(
            name, address, password=None, first_name=first, last_name=last, is_staff=True
        )
        if role is not None and role.group is not None:
            crew[name].groups.add(role.group)
    return crew


def _say_who_gets_leads(definition: LeadDefinition, crew: dict[str, Any], now: datetime) -> None:
    """In turn: two colleagues, one of them away, and whoever administers this, so that their day shows it."""
    rule = AssignmentRule.objects.create(name=RULE_NAME, definition=definition, created_at=now)
    first = get_user_model().objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    seats = [crew[AWAY], crew["joris"], *([first] if first else [])]
    AssignmentMember.objects.bulk_create(
        AssignmentMember(rule=rule, user=user, position=place * 10)
        for place, user in enumerate(seats, start=1)
    )
    today = now.astimezone(shop_zone()).date()
    Absence.objects.create(
        user=crew[AWAY],
        from_day=today - timedelta(days=5),
        to_day=today + timedelta(days=9),
        stand_in=crew[STANDS_IN],
    )


def _work_through_the_past(definition: LeadDefinition, now: datetime) -> None:
    version = definitions.published(definition)
    if version is None:
        return
    course = Course(definition, version, lines_of(version), list(definition.stages.all()))
    said = cycle(_COURSE)
    for at, people in _days(now):
        work_on(course, people, at)
        _answer(definition, said, now)


def _days(now: datetime) -> Iterator[tuple[datetime, list[UUID]]]:
    """Each day of the past with those who were last seen on it, a little after the last of them."""
    lately = Event.objects.filter(
        occurred_at__gt=now - PAST, occurred_at__lte=now, contact__source=SOURCE
    ).order_by()
    days: dict[date, list[tuple[datetime, UUID]]] = defaultdict(list)
    zone = shop_zone()
    for contact_id, last in lately.values_list("contact_id").annotate(last=Max("occurred_at")):
        if last <= now - FRESH:
            days[last.astimezone(zone).date()].append((last, contact_id))
    for _day, rows in sorted(days.items()):
        yield max(rows)[0] + _NOTICED, [contact_id for _last, contact_id in sorted(rows)]


def _answer(definition: LeadDefinition, said: Iterator[_Said | None], now: datetime) -> None:
    """What became of those who were handed over last: answered, or passed on and answered by the next."""
    hours = DeskHours.now_set()
    silent: HandOver | None = None
    for row in _waiting(definition):
        word = next(said)
        if word is None:
            silent = row
        else:
            _say(row, word, hours, now)
    if silent is not None and silent.answer_by is not None:
        passing.pass_on(silent.answer_by, Budget(_PATIENCE))
        for row in _waiting(definition):
            _say(row, _AFTER_SILENCE, hours, now)


def _waiting(definition: LeadDefinition) -> list[HandOver]:
    rows = HandOver.objects.filter(definition=definition, answer=HandOver.Answer.WAITING)
    return list(rows.exclude(owner=None).select_related("owner").order_by("occurred_at", "contact_id"))


def _say(row: HandOver, word: _Said, hours: DeskHours, now: datetime) -> None:
    def at(minutes: int) -> datetime:
        return min(hours.after(row.occurred_at, timedelta(minutes=minutes)), now)

    by = row.owner.get_username() if row.owner else ""
    if word.calls is not None:
        called = at(word.calls)
        desk.write_note(
            row.contact_id, word.heard, called, by=by, kind=Note.Kind.CALL, outcome=word.outcome, at=called
        )
    lead = Lead.objects.select_related("definition", "contact").get(
        contact=row.contact_id, definition=row.definition_id
    )
    if word.refuses:
        stages.refuse(lead, at(word.after), by, word.words, why=word.refuses)
    else:
        stages.accept(lead, at(word.after), by)


def _plan_calls(definition: LeadDefinition, now: datetime) -> None:
    """Each colleague has the lead they accepted last to call again, within an hour of the desk."""
    accepted = Lead.objects.filter(definition=definition, stage__meaning=Stage.Meaning.ACCEPTED)
    mine = accepted.exclude(owner=None).select_related("owner", "contact")
    due_at = DeskHours.now_set().after(now, timedelta(hours=1))
    seen = set()
    for lead in mine.order_by("-stage_since", "pk"):
        if lead.owner_id not in seen:
            seen.add(lead.owner_id)
            desk.make_task(lead.contact_id, f"Call {lead.contact} again", lead.owner, now, due_at=due_at)


def forget() -> int:
    """Take the desk out again; what became of its leads goes with them. Hours somebody chose stay."""
    gone = AssignmentRule.objects.filter(name=RULE_NAME).delete()[0]
    gone += get_user_model().objects.filter(email__in=ADDRESSES, username__in=COLLEAGUES).delete()[0]
    ours = DeskSettings.objects.filter(weekdays=OPEN_ON, opens_at=OPENS, closes_at=CLOSES)
    ours.update(weekdays=working_days(), closes_at=DeskSettings._meta.get_field("closes_at").get_default())
    return gone
