"""Wait for something the person does, for a while at most."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting, asked, entry
from campaigns.flows.kinds import Batch, Listening, Move, Step, steps
from campaigns.flows.paths import PathName, refuse_lookalikes
from campaigns.flows.steps.wait import LengthForm, length_in_words, length_of
from campaigns.models import Step as StepRow
from crm.kernel import rules
from crm.models.writing import update_rows

ARRIVED, ENTERED = "arrived_at", "entered_at"
# What others were just writing down while somebody was asked for the first time is seen by then.
SECOND_LOOK = timedelta(minutes=1)


@steps.register
class WaitFor(Step):
    """People wait here until a rule becomes true of them: a click, a visit, an order, a tag. They go on
    within seconds of it, or when their time is over; if it is true already, at once.

    Who came in time may go on along one path and who did not along another. Without names of paths everybody
    goes on along the path they are on. Where the rule says *since entering*, it means since they came to this
    step, or since they entered the flow, as chosen.
    """

    key = "campaigns.wait_for"
    label = "Wait for something to happen"
    group = acting.WAIT
    icon = "hearing"
    does = False

    class Params(LengthForm):
        rule = asked.rule_field("until this is true of them")
        since = forms.ChoiceField(
            label="“since entering” in it means",
            choices=[(ARRIVED, "since they came to this step"), (ENTERED, "since they entered the flow")],
            initial=ARRIVED,
            required=False,
        )
        path_came = PathName(
            label="path of those of whom it came true",
            help_text="A name for it, such as “Clicked”: steps below may be for this path alone. "
            "Blank: they stay on the path they are on.",
        )
        path_timeout = PathName(
            label="path of those whose time is over", help_text="Blank: they stay on the path they are on."
        )
        field_order = ("rule", "length", "unit", "since", "path_came", "path_timeout")

        def clean_since(self) -> str:
            return self.cleaned_data["since"] or ARRIVED

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean()
            refuse_lookalikes([cleaned.get("path_came", ""), cleaned.get("path_timeout", "")])
            return cleaned

    def paths(self, params: dict[str, Any]) -> list[str]:
        return list(dict.fromkeys(filter(None, [params["path_came"], params["path_timeout"]])))

    def leaves(self, params: dict[str, Any], at: datetime) -> datetime:
        return at + length_of(params)

    def listens_to(self, params: dict[str, Any]) -> Listening:
        return Listening(params["rule"], "entered_at" if params["since"] == ENTERED else "arrived_at")

    def run(self, batch: Batch) -> dict[UUID, Move]:
        told, length = self.listens_to(batch.params), length_of(batch.params)
        # Whoever has just come is not yet written down as here, and the rule is asked of what is written.
        update_rows(batch.people, "arrived_at")
        came = entry.those(told.rule, "What is waited for", batch.people, batch.now, told.since)
        moves = {}
        for person in batch.people:
            arrived = person.arrived_at or batch.now
            if person.pk in came:
                person.path = batch.params["path_came"] or person.path
            elif arrived + length <= batch.now:
                person.path = batch.params["path_timeout"] or person.path
            else:
                moves[person.pk] = Move("stay", _again(arrived, length, batch.now))
        return moves

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        said = f"Wait until they {rules.clause(params['rule'])}, {length_in_words(params)} at most"
        came, late = params["path_came"], params["path_timeout"]
        said += f"; who does goes on along “{came}”" if came else ""
        return said + (f"; who does not along “{late}”" if late else "")

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        return asked.problems([params["rule"]], step)


def _again(arrived: datetime, length: timedelta, now: datetime) -> datetime:
    """A second look soon after they came, and then only when their time is over, or when they are woken."""
    second, last = arrived + SECOND_LOOK, arrived + length
    return min(second, last) if second > now else last
