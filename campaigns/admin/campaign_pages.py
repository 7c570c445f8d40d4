"""The pages of a campaign beside its flow and its forms: results, who is in it, and why for one person."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from campaigns.admin import campaign_head, picture, trials
from campaigns.admin import results as shown_results
from campaigns.flows import editing, launching
from campaigns.flows.kinds import triggers
from campaigns.models import Campaign, Decision, Due, Enrolment, Step
from campaigns.results.steps import at_steps, people_at
from crm.access import reach
from crm.kernel import clock, rules
from crm.kernel.backoffice import EstimatedPaginator
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models import Contact

ON_A_PAGE = 50
MOST_DECISIONS = 100
MOST_RUNS = 20


def results(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """What it adds, what messages set against each other did, and what each step did this week."""
    now = clock.now()
    version = launching.newest_version(campaign)
    at = at_steps(campaign, now - campaign_head.WEEK)
    context = campaign_head.page(
        model_admin,
        request,
        campaign,
        campaign_head.RESULTS,
        now,
        steps=[(picture.sentence(row), at.by_key[row.key]) for row in editing.steps_of(version)],
        **shown_results.context(campaign, version, now),
    )
    return render(request, "campaigns/campaign_results.html", context)


def people(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Who is in it now: at which step, due when; those whom an error stopped say so."""
    key = request.GET.get("step", "")
    known = _known_steps(campaign)
    key = key if key in {row.key for row in known} else ""
    runs = reach.seen(people_at(campaign, key)).select_related("contact")
    shown = EstimatedPaginator(runs, ON_A_PAGE).get_page(request.GET.get("page"))
    due = Due.objects.in_bulk([run.pk for run in shown])
    words = {(row.version_id, row.position): picture.sentence(row) for row in known}
    newest = {row.key: picture.sentence(row) for row in known}
    context = campaign_head.page(
        model_admin,
        request,
        campaign,
        campaign_head.PEOPLE,
        clock.now(),
        people=[(run, words.get((run.version_id, run.step_position), ""), due.get(run.pk)) for run in shown],
        shown=shown,
        steps=newest.items(),
        step=key,
    )
    return render(request, "campaigns/campaign_people.html", context)


def why(model_admin: Any, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """What this campaign decided about one person, the newest first, and whether they would enter now."""
    now, typed = clock.now(), request.GET.get("as", "").strip()[:254]
    contact = trials.chosen(typed) if typed else None
    more: dict[str, Any] = {}
    if contact is not None:
        words = {row.key: picture.sentence(row) for row in _known_steps(campaign)}
        before = _place(request.GET.get("before", ""))
        decisions, older = _decisions(campaign, contact, before)
        runs = Enrolment.objects.filter(contact=contact, campaign=campaign).order_by("-entered_at")
        more = {
            "decisions": [(row, words.get(row.step_key, ""), _heading(row)) for row in decisions],
            "older": older,
            "is_older": before is not None,
            "runs": runs[: MOST_RUNS + 1],
            "most_runs": MOST_RUNS,
            "lets_in": picture.of_trigger(campaign),
            "explanation": _explained(campaign, contact, now),
        }
    context = campaign_head.page(
        model_admin,
        request,
        campaign,
        campaign_head.WHY,
        now,
        typed=typed,
        contact=contact,
        problem="" if contact or not typed else "Nobody has this address: type the whole of it.",
        **more,
    )
    return render(request, "campaigns/campaign_why.html", context)


def _decisions(
    campaign: Campaign, contact: Contact, before: tuple[datetime, UUID] | None
) -> tuple[list[Decision], str]:
    """What was decided below a place, the newest first, and the place where older ones begin: blank at the
    end.
    """
    rows = Decision.objects.filter(contact=contact, campaign=campaign)
    if before is not None:
        at, last = before
        # The plain bound beside the exact one is what the index on (contact, -time) can use.
        rows = rows.filter(Q(decided_at__lt=at) | Q(pk__lt=last), decided_at__lte=at)
    found = list(rows.order_by("-decided_at", "-id")[: MOST_DECISIONS + 1])
    shown = found[:MOST_DECISIONS]
    more = len(found) > MOST_DECISIONS
    return shown, f"{shown[-1].decided_at.isoformat()}~{shown[-1].pk}" if more else ""


def _place(typed: str) -> tuple[datetime, UUID] | None:
    """A place in what was decided, from the address bar; none where it is no such place."""
    at, _, pk = typed.partition("~")
    try:
        moment, last = datetime.fromisoformat(at), UUID(pk)
    except ValueError:
        return None
    return (moment, last) if moment.tzinfo else None


def _heading(row: Decision) -> str:
    """The verdict, where the words of the decision do not begin with it themselves."""
    verdict = row.get_verdict_display()
    return "" if row.words.lower().startswith(verdict) else verdict


def _known_steps(campaign: Campaign) -> list[Step]:
    """The steps of every version, the newest version last."""
    rows = Step.objects.filter(version__campaign=campaign).select_related("template", "offer", "version")
    return list(rows.prefetch_related("variants__template").order_by("version__number", "position"))


def _explained(campaign: Campaign, contact: Contact, now: Any) -> rules.Explanation | None:
    """The entry rule held against the person, about what they would be walked through it with."""
    if rules.is_blank(campaign.entry_rule):
        return None
    scope = rules.Scope(current=True, among=[contact.pk])
    try:
        trigger = triggers.get(campaign.trigger)
        about = trigger.rehearse(trigger.read(campaign.trigger_params), contact.pk, now)
    except (UnknownKind, BrokenParams):
        about = None
    if about is not None and about.subject_id is not None:
        scope = rules.Scope(None, about.subject_kind, about.subject_id, current=True, among=[contact.pk])
    return rules.explain(Contact.objects.filter(pk=contact.pk), campaign.entry_rule, now, scope)
