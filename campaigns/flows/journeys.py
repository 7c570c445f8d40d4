"""People's runs through flows: let in whoever qualifies, and move on whoever is due. Batches, never one task
a person.

Everything here is database work inside the claiming transaction: the row lock is the lease. Any of it may
run at any time, in any number of processes. An error parks the people it concerns and pauses their
campaign, no other.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from campaigns.delivery import limits
from campaigns.flows import approved, claiming, existing, goals, listening, watching
from campaigns.flows.course import BrokenStep, Course
from campaigns.flows.entry import BrokenRule
from campaigns.flows.kinds import Entrant, triggers
from campaigns.models import Campaign, Decision, Due, Enrolment
from crm.kernel import buckets, ids
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.kernel.rules import AnyOf
from crm.kernel.work import Budget
from crm.models.writing import insert_rows
from crm.ticking import ring

logger = logging.getLogger(__name__)

ENTER_AT_ONCE = 1000
ADVANCE_AT_ONCE = 1000
PARK_AT_MOST = 20
UNREADABLE = (BrokenStep, BrokenRule, BrokenParams, UnknownKind)
# The database's own trouble (a lost connection, a deadlock) is nobody's fault: the next run tries again.
TRANSIENT = (OperationalError, InterfaceError)


def enrol(now: datetime, budget: Budget) -> int:
    """Let in everyone whom a running campaign's trigger names. Returns how many entered."""
    entered = 0
    running = Campaign.objects.filter(state=Campaign.State.RUNNING).order_by("priority", "pk")
    asked = list(running.values_list("pk", flat=True))
    is_first = True
    # In rounds, so that a crowd on its way into one campaign keeps nobody out of the others. A batch may hold
    # fewer people than rows: only one that lets nobody in is a campaign's last.
    while asked:
        full = []
        for campaign_id in asked:
            if not is_first and not budget:
                return _hinted(entered)
            if found := enrol_one(campaign_id, now):
                entered += found
                full.append(campaign_id)
        if is_first and full:
            ring("campaigns.advance")
        asked, is_first = full, False
    return _hinted(entered)


def _hinted(entered: int) -> int:
    if entered:
        ring("campaigns.advance")
    return entered


def enrol_one(campaign_id: int, now: datetime) -> int | None:
    """One batch of one campaign. Nothing where another process is at it, or it no longer runs."""
    try:
        with transaction.atomic():
            # The lock makes "no other run of this person lately" hold between processes, too.
            campaign = (
                Campaign.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
                .filter(pk=campaign_id, state=Campaign.State.RUNNING)
                .first()
            )
            if campaign is None:
                return None
            trigger = triggers.get(campaign.trigger)
            params = trigger.read(campaign.trigger_params)
            found = list(trigger.entrants(params, campaign, now, limit=ENTER_AT_ONCE))
            known = {entrant.contact_id for entrant in found}
            before = existing.entrants(trigger, params, campaign, now, limit=ENTER_AT_ONCE - len(found))
            found += [entrant for entrant in before if entrant.contact_id not in known]
            if not found or not (approved.holds(campaign, now) and watching.lets_in(campaign, found, now)):
                return 0
            return len(enter(campaign, found, now))
    except TRANSIENT:
        raise
    except Exception as problem:  # noqa: BLE001 - whatever it is, it concerns this campaign alone
        pause_for(campaign_id, _told(problem), now)
        return None


def enter(
    campaign: Campaign, entrants: Sequence[Entrant], now: datetime, *, at_step: str = "", came: str = ""
) -> list[Enrolment]:
    """Write the runs of these people, their first due moment and why. Who has one for the same entry stays
    out. They begin at the first step or at the one with the key `at_step`; `came` says in words whence.

    The campaign's row must be locked.
    """
    if campaign.current_id is None:
        raise ValueError("The campaign has no launched version.")
    course = Course(campaign, [campaign.current_id], now)
    left_out = limits.held_out_of_all(campaign, limits.frequency())
    people = [_enrolment(campaign, entrant, left_out, now) for entrant in entrants]
    by_key = {person.pk: entrant for person, entrant in zip(people, entrants, strict=True)}
    due = {
        # Whoever qualified a year ago is no year late.
        person.pk: course.begin(
            person,
            now if by_key[person.pk].is_existing else person.qualified_at,
            by_key[person.pk].at_step or at_step,
        )
        for person in people
    }
    insert_rows(people, ignore_conflicts=True)
    written = set(
        Enrolment.objects.filter(
            AnyOf(F("pk"), list(due)), AnyOf(F("contact_id"), [person.contact_id for person in people])
        ).values_list("pk", flat=True)
    )
    entered = [person for person in people if person.pk in written]
    insert_rows(
        [
            Due(
                enrolment_id=person.pk, contact_id=person.contact_id, campaign=campaign, due_at=due[person.pk]
            )
            for person in entered
        ]
    )
    insert_rows([_entered(campaign, person, by_key[person.pk], came, now) for person in entered])
    if began := sum(by_key[person.pk].is_existing for person in entered):
        existing.note(campaign, began, now)
    return entered


def advance(now: datetime, budget: Budget) -> int:
    """Move on everyone who is due in a running campaign or whose waiting is over, and let go everyone of a
    stopped one. Returns how many.

    The campaign that goes first is served first, whoever has waited longer in another; those of one priority
    take turns.
    """
    moved = 0
    served: Counter[int] = Counter()
    for step_id in listening.heard(now):
        _wake(step_id, now)
    for campaign_id in goals.to_ask(now):
        _notice(campaign_id, now)
    while True:
        with transaction.atomic():
            claimed = claiming.claim(now, served, ADVANCE_AT_ONCE)
            by_campaign: dict[int, list[Due]] = defaultdict(list)
            for due in claimed:
                by_campaign[due.campaign_id].append(due)
            for campaign_id, dues in sorted(by_campaign.items()):
                _advance_group(campaign_id, dues, now)
        moved += len(claimed)
        if not claimed or not budget:
            return moved


def pause_for(campaign_id: int, problem: str, now: datetime) -> None:
    """An error stops this campaign, visibly; a person looks, mends and resumes it."""
    logger.error("Campaign %s paused: %s", campaign_id, problem)
    Campaign.objects.filter(pk=campaign_id).update(problem=problem[-4000:], problem_at=now)
    Campaign.objects.filter(pk=campaign_id, state=Campaign.State.RUNNING).update(
        state=Campaign.State.PAUSED, state_reason="paused by an error"
    )


def _told(problem: Exception) -> str:
    """In words where a person can mend it, else where it happened. Called while it is handled."""
    return str(problem) if isinstance(problem, UNREADABLE) else traceback.format_exc(limit=-3)


def _wake(step_id: int, now: datetime) -> None:
    try:
        with transaction.atomic():
            listening.wake(step_id, now)
    except TRANSIENT:
        raise
    except Exception as problem:  # noqa: BLE001 - whatever it is, it concerns this campaign alone
        pause_for(Campaign.objects.get(versions__steps=step_id).pk, _told(problem), now)


def _notice(campaign_id: int, now: datetime) -> None:
    try:
        goals.notice(campaign_id, now)
    except TRANSIENT:
        raise
    except Exception as problem:  # noqa: BLE001 - whatever it is, it concerns this campaign alone
        pause_for(campaign_id, _told(problem), now)


def _advance_group(campaign_id: int, dues: Sequence[Due], now: datetime) -> None:
    campaign = Campaign.objects.get(pk=campaign_id)
    if campaign.state not in (Campaign.State.RUNNING, Campaign.State.STOPPED):
        return
    try:
        with transaction.atomic():
            _move(campaign, dues, now)
        return
    except TRANSIENT:
        raise
    except UNREADABLE as broken:
        # Nobody is judged by what cannot be read, and nobody of them is to blame.
        pause_for(campaign_id, _told(broken), now)
        return
    except Exception:  # noqa: BLE001 - whatever it is, it concerns this campaign alone
        problem = traceback.format_exc(limit=-3)
    # One of them is poison: find it, so that the others get on.
    parked: list[Due] = []
    for due in dues:
        if len(parked) == PARK_AT_MOST:
            break
        try:
            with transaction.atomic():
                _move(campaign, [due], now)
        except TRANSIENT:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it concerns this campaign alone
            problem = due.problem = traceback.format_exc(limit=-3)[-2000:]
            parked.append(due)
    if parked:
        Due.objects.bulk_update(parked, ["problem"])
        pause_for(campaign_id, problem, now)


def _move(campaign: Campaign, dues: Sequence[Due], now: datetime) -> None:
    moments = {due.enrolment_id: due.due_at for due in dues}
    people = list(
        Enrolment.objects.filter(
            AnyOf(F("pk"), list(moments)),
            AnyOf(F("contact_id"), [due.contact_id for due in dues]),
            campaign=campaign,
            state=Enrolment.State.ACTIVE,
        ).order_by("pk")
    )
    course = Course(campaign, (person.version_id for person in people), now)
    if campaign.state == Campaign.State.STOPPED:
        for person in people:
            course.leave(person, "stopped")
        course.write(people, {})
    else:
        course.write(people, course.walk(people, moments))
    if gone := set(moments) - {person.pk for person in people}:
        Due.objects.filter(pk__in=gone).delete()


def _enrolment(campaign: Campaign, entrant: Entrant, left_out: float, now: datetime) -> Enrolment:
    assert campaign.current_id is not None
    return Enrolment(
        id=ids.uuid7(),
        contact_id=entrant.contact_id,
        campaign=campaign,
        version_id=campaign.current_id,
        entry=entrant.entry,
        subject_kind=entrant.subject_kind,
        subject_id=entrant.subject_id,
        arm=_arm(campaign, entrant, left_out),
        qualified_at=entrant.qualified_at,
        entered_at=now,
        visit=entrant.rounds,
        is_test=entrant.is_test,
    )


def _arm(campaign: Campaign, entrant: Entrant, left_out: float) -> str:
    """Treated or held out, by this campaign or from all: the same for the same person for ever. Both are
    drawn by chance, so whoever is held out by either tells what would have happened anyway.
    """
    if not entrant.is_test and limits.in_control_group(entrant.contact_id, left_out):
        return Enrolment.Arm.CONTROL
    return buckets.arm(f"campaign:{campaign.pk}", entrant.contact_id, float(campaign.control_share))


def _entered(campaign: Campaign, person: Enrolment, entrant: Entrant, came: str, now: datetime) -> Decision:
    words = came or f"Entered: {triggers.get(campaign.trigger).label.lower()}."
    if entrant.is_existing:
        words = f"{words} Qualified before the launch; so many are let in a day: {campaign.existing_a_day}."
    return Decision(
        contact_id=person.contact_id,
        campaign=campaign,
        enrolment_id=person.pk,
        verdict=Decision.Verdict.ENTERED,
        reason="qualified_before" if entrant.is_existing else "went_on" if came else "qualified",
        words=words[:300],
        evidence={**entrant.evidence, "arm": person.arm},
        decided_at=now,
    )
