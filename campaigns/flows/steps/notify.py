"""Tell a colleague about a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from campaigns.flows import acting, colleagues
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Enrolment
from campaigns.models import Step as StepRow
from crm.models import Notice

MOST_SINGLE = 10
MOST_NAMED = 20


@steps.register
class Notify(Step):
    """Sends a note to whoever looks after the person, or to one colleague: your words, why the person is
    here, and a link to their page. Whoever would get more than ten notes at once gets one about all of them.

    Where nobody looks after the person the owner of the campaign is told.
    """

    key = "campaigns.notify"
    label = "Tell a colleague"
    group = acting.TELL
    icon = "notifications"

    class Params(colleagues.ToWhom):
        words = colleagues.Words(
            label="what to tell them", max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people = acting.whom(batch)
        told = colleagues.Told(batch, people)
        by_user: dict[Any, list[Enrolment]] = {}
        for person in people:
            if user := told.who(person):
                by_user.setdefault(user, []).append(person)
                acting.did(batch, person, f"{colleagues.name_of(user)} was told.")
            else:
                words = "Nobody who works here looks after them or after the campaign."
                acting.did_not(batch, person, "no_colleague", words)
        notices = [one for user, theirs in by_user.items() for one in _notices(batch, told, user, theirs)]
        Notice.objects.bulk_create(notices, ignore_conflicts=True)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return f"Tell {colleagues.in_words(params)}: “{params['words']}”"


def _notices(batch: Batch, told: colleagues.Told, user: Any, people: list[Enrolment]) -> list[Notice]:
    if len(people) > MOST_SINGLE:
        return [_summary(batch, told, user, people)]
    return [
        Notice(
            key=acting.once(batch, person),
            user=user,
            contact_id=person.contact_id,
            subject=f"{told.contacts[person.contact_id]}: {batch.campaign}"[:200],
            body=f"{told.words(batch.params['words'], person)}\n\n{told.reasons(person)}",
            path=reverse("admin:crm_contact_change", args=[person.contact_id]),
            created_at=batch.now,
        )
        for person in people
    ]


def _summary(batch: Batch, told: colleagues.Told, user: Any, people: list[Enrolment]) -> Notice:
    first = min(people, key=lambda person: person.pk)
    lines = [
        f"{told.contacts[person.contact_id]}: {told.words(batch.params['words'], person)}"
        for person in people[:MOST_NAMED]
    ]
    if len(people) > MOST_NAMED:
        lines.append(f"… and {len(people) - MOST_NAMED:,} more")
    return Notice(
        key=acting.once(batch, first),
        user=user,
        subject=f"{len(people):,} people: {batch.campaign}"[:200],
        body="\n".join(lines),
        path=reverse("admin:campaigns_campaign_change", args=[batch.campaign.pk]),
        created_at=batch.now,
    )
