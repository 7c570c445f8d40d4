"""Give people to a colleague, or to several in turn."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import F

from campaigns.flows import acting, colleagues
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from crm.conditions import menus
from crm.models import Contact
from crm.people import changes


@steps.register
class SetOwner(Step):
    """Gives the person to a colleague, or to several in turn, one after another, each as many as the others.

    Whoever belongs to one of them already stays there. Leads and tasks that are open keep their own owner; a
    new lead takes the person's.
    """

    key = "campaigns.set_owner"
    label = "Give to a colleague"
    group = acting.CHANGE
    icon = "person_add"

    class Params(forms.Form):
        colleagues = menus.Several(label="to", offered=colleagues.menu)
        keep = forms.BooleanField(
            label="whoever has an owner keeps them",
            required=False,
            initial=True,
            help_text="Off: they are taken from whoever looks after them now.",
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people = acting.whom(batch)
        theirs = _at_work(batch.params)
        # One batch deals at a time, so that the next goes on where it stopped.
        dealt = StepRow.objects.select_for_update(no_key=True, of=("self",)).get(pk=batch.step.pk).dealt
        turn = islice(cycle(theirs), dealt % len(theirs), None) if theirs else iter(())
        given: dict[UUID, Any] = {}

        def answer(contact: Contact) -> Mapping[str, Any]:
            if contact.owner_id is not None and (batch.params["keep"] or contact.owner_id in _ids(theirs)):
                return {}
            user = next(turn, None)
            if user is None:
                return {}
            given[contact.pk] = user
            return {"owner": user}

        changes.change({person.contact_id for person in people}, answer, batch.now, actor=acting.actor(batch))
        if given:
            StepRow.objects.filter(pk=batch.step.pk).update(dealt=F("dealt") + len(given))
        for person in people:
            if user := given.get(person.contact_id):
                acting.did(batch, person, f"Given to {colleagues.name_of(user)}.")
            elif theirs:
                acting.did(batch, person, "They have an owner.", changed=False)
            else:
                acting.did_not(batch, person, "no_colleague", "None of these colleagues works here any more.")
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        names = [colleagues.name_of(user) for user in _at_work(params)]
        if len(names) > 1:
            return f"Give to {', '.join(names[:-1])} and {names[-1]} in turn"
        return f"Give to {names[0]}" if names else self.label

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        if not _at_work(params):
            return ["Choose a colleague who works here."]
        return super().problems(params, step)


def _at_work(params: Mapping[str, Any]) -> list[Any]:
    chosen = [int(pk) for pk in params["colleagues"] if pk.isdigit()]
    known = {user.pk: user for user in colleagues.at_work().filter(pk__in=chosen)}
    return [known[pk] for pk in chosen if pk in known]


def _ids(users: list[Any]) -> set[int]:
    return {user.pk for user in users}
