"""Somebody has not bought for a while and has not been here either: whom we miss."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from campaigns.flows import forward
from campaigns.flows.entry import may_enter
from campaigns.flows.kinds import Entrant, Guarded, Trigger, triggers
from campaigns.models import Campaign, Enrolment
from crm.conditions.words import counted
from crm.models import Contact, Engagement, Standing, State

LONGEST_LOOK_BACK = timedelta(days=3)
_MOMENT = timedelta(microseconds=1)


@triggers.register
class NoPurchase(Trigger):
    """Lets in whoever may be written to, has bought nothing for so many days and has not visited for so many.
    Who registered and never bought counts from when they registered.

    Whoever is at risk or lost is left out: a flow of its own wins them back. Whoever stays away is let in
    again when the campaign's re-entry time is over, and not before, whatever they do.
    """

    key = "campaigns.no_purchase"
    label = "Bought nothing for a while"
    group = "People"
    looks_at_people = True
    lift_days = 45

    class Params(forms.Form):
        days = forms.IntegerField(
            label="days without an order",
            min_value=1,
            max_value=730,
            initial=14,
            help_text="Two weeks: soon enough to be remembered, long enough not to press.",
        )
        unseen_days = forms.IntegerField(
            label="and days without a visit",
            min_value=0,
            max_value=365,
            initial=7,
            help_text="Whoever was here this week has not forgotten you. 0: visits do not matter.",
        )

    def entrants(
        self,
        params: dict[str, Any],
        campaign: Campaign,
        now: datetime,
        *,
        limit: int,
        existing: bool = False,
    ) -> Sequence[Entrant]:
        due = self._before(params, campaign, now) if existing else self._due(params, campaign, now)

        def entrant(row: Any) -> Entrant:
            return Entrant(
                contact_id=row.contact_id,
                entry=f"quiet:{row.due_at.isoformat(timespec='minutes')}",
                qualified_at=now if existing else row.due_at,
                is_test=row.contact_is_test,
                evidence=_evidence(row),
            )

        return forward.one_each(due.order_by("due_at", "contact_id")[:limit], entrant)

    def guard_of(
        self, params: dict[str, Any], enrolments: Sequence[Enrolment], now: datetime
    ) -> dict[UUID, Guarded]:
        # The order they were counted from may stand at the very beginning of that stretch.
        wait = timedelta(days=params["days"]) - _MOMENT
        return {enrolment.pk: Guarded(since=enrolment.qualified_at - wait) for enrolment in enrolments}

    def rehearse(self, params: dict[str, Any], contact_id: UUID, now: datetime) -> Entrant | None:
        return Entrant(contact_id, f"try:quiet:{contact_id}", now, is_test=True)

    def sentence(self, params: dict[str, Any]) -> str:
        unseen = params["unseen_days"]
        here = f", no visit for {counted(unseen, 'day')}" if unseen else ""
        return f"Bought nothing for {counted(params['days'], 'day')}{here}"

    def _due(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        """Who fell due since the launch; by the few whose moment passed lately, not by everybody."""
        since = forward.since(campaign, now, LONGEST_LOOK_BACK)
        days, unseen = timedelta(days=params["days"]), timedelta(days=params["unseen_days"])

        def passed(moment: str, by: timedelta) -> Q:
            return Q(**{f"{moment}__gt": since - by, f"{moment}__lte": now - by})

        again = Enrolment.objects.filter(passed("entered_at", forward.reentry(campaign)), campaign=campaign)
        lately = Engagement.objects.filter(passed("last_order_at", days)).values("contact_id")
        lately = lately.union(
            Engagement.objects.filter(passed("last_seen_at", unseen)).values("contact_id"),
            Contact.objects.filter(passed("created_at", days)).values("pk"),
            again.values("contact_id"),
        )
        found = self._quiet(params, campaign, now).filter(contact__in=lately)
        last_run = forward.runs(campaign).order_by("-entered_at").values("entered_at")[:1]
        again_at = forward.later(Subquery(last_run), forward.reentry(campaign))
        found = found.annotate(due_at=Greatest("quiet_at", again_at, output_field=DateTimeField()))
        inside = forward.runs(campaign).filter(state=Enrolment.State.ACTIVE)
        found = found.filter(~Exists(inside), due_at__gt=since, due_at__lte=now)
        return may_enter(found, campaign, now, self.subject_kind)

    def _before(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        """Who had been quiet for so long before the launch, and still is."""
        found = self._quiet(params, campaign, now).annotate(due_at=F("quiet_at"))
        found = found.filter(~Exists(forward.runs(campaign)), due_at__lte=forward.launch_of(campaign))
        return may_enter(found, campaign, now, self.subject_kind)

    def _quiet(self, params: dict[str, Any], campaign: Campaign, now: datetime) -> QuerySet[Any]:
        days, unseen = timedelta(days=params["days"]), timedelta(days=params["unseen_days"])
        bought = forward.later(Coalesce("last_order_at", "contact__created_at"), days)
        slipping = Standing.objects.filter(contact=OuterRef("contact"), state__in=[State.AT_RISK, State.LOST])
        quiet_at = Greatest(bought, forward.later(F("last_seen_at"), unseen)) if unseen else bought
        people = Engagement.objects.filter(forward.may_hear(campaign), contact__merged_into=None)
        return people.annotate(
            quiet_at=quiet_at, contact_is_test=F("contact__is_test"), registered_at=F("contact__created_at")
        ).filter(~Exists(slipping), quiet_at__lte=now)


def _evidence(row: Any) -> dict[str, Any]:
    said = {
        "last_order_at": row.last_order_at,
        "registered_at": None if row.last_order_at else row.registered_at,
        "last_seen_at": row.last_seen_at,
        "due_at": row.due_at,
    }
    return {name: moment.isoformat() for name, moment in said.items() if moment}
