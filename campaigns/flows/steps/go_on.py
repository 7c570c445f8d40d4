"""Go on in another flow, at one of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms

from campaigns.flows import acting, journeys, watching
from campaigns.flows.kinds import IN_SHADOW, Batch, Entrant, Move, Step, steps, triggers
from campaigns.models import Campaign, Decision, Enrolment, FlowVersion
from campaigns.models import Step as StepRow
from crm.ticking import ring

STAY, LEAVE = "stay", "leave"
# Flows that send people on to one another in a circle end here, whatever their re-entry times say.
MOST_ROUNDS = 10
WENT_ON = "went_on"


@steps.register
class GoOn(Step):
    """People leave this flow and go on in another one, at its first step or at one that is named.

    The other flow must be running, and its re-entry time holds: who is in it, or was lately, is not put in
    once more. Whoever cannot go on there stays in this flow or leaves it, as chosen, and a decision says why.
    What lets people into the other flow and who may enter it is not asked; who leaves it early, its control
    group and its limits are.
    """

    key = "campaigns.go_on"
    label = "Go on in another flow"
    group = acting.END
    icon = "forward"
    ends = True

    class Params(forms.Form):
        campaign = forms.ModelChoiceField(Campaign.objects.order_by("name"), label="go on in")
        step = forms.ChoiceField(
            label="at the step",
            required=False,
            help_text="Its steps stand here once the flow is chosen and the step is saved.",
        )
        otherwise = forms.ChoiceField(
            label="who cannot go on there",
            choices=[(STAY, "goes on in this flow"), (LEAVE, "leaves this flow")],
            initial=STAY,
            required=False,
        )

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            chosen = self["campaign"].value()
            target = Campaign.objects.filter(pk=chosen).first() if str(chosen).isdecimal() else None
            typed = self["step"].value() or ""
            step: Any = self.fields["step"]
            step.choices = _places(target, str(typed))

        def clean_otherwise(self) -> str:
            return self.cleaned_data["otherwise"] or STAY

    def run(self, batch: Batch) -> dict[UUID, Move]:
        target = _locked(batch.params["campaign"])
        closed = _closed(target, batch.params["step"])
        refused = dict.fromkeys((person.pk for person in batch.people), closed) if closed else {}
        if not closed:
            refused = _kept_out(target, batch)
        going = [person for person in batch.people if person.pk not in refused]
        gone = _let_in(target, batch, going)
        moves = {}
        for person in batch.people:
            if person.pk in gone:
                words = f"Goes on in “{target}”."
                batch.decide(person, Decision.Verdict.LEFT, WENT_ON, words, {"campaign": target.pk})
                moves[person.pk] = Move("leave", reason=WENT_ON)
                continue
            reason, words = refused.get(person.pk) or (
                "was_there",
                f"Went on in “{target}” from here before.",
            )
            verdict = IN_SHADOW.verdict if reason == IN_SHADOW.reason else Decision.Verdict.SKIPPED
            batch.decide(person, verdict, reason, words[:300])
            if batch.params["otherwise"] == LEAVE:
                moves[person.pk] = Move("leave", reason="could_not_go_on")
        return moves

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        place = f", at the step {params['step']}" if params["step"] else ""
        return f"Go on in “{params['campaign']}”{place}"

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        target, own = params["campaign"], step.version.campaign
        version = _newest(target)
        if params["step"] and not _has(version, params["step"]):
            return [f"“{target}” has no step with the key {params['step']}. It has {_keys_of(version)}."]
        theirs, ours = (_subject_of(one) for one in (target, own))
        if theirs and theirs != ours:
            return [f"“{target}” is about a {theirs}, and people in this flow come without one."]
        return []


def _places(target: Campaign | None, kept: str) -> list[tuple[str, str]]:
    """The steps at which one may go on there, and the one that was chosen even if it is no longer there."""
    found = [("", "from its first step on")]
    version = _newest(target) if target else None
    # By their labels: the words of a step that goes on from there would read this step again.
    for row in version.steps.select_related("template").order_by("position", "id") if version else ():
        kind = steps.get(row.kind) if row.kind in steps else None
        sent = f", “{row.template}”" if row.template and kind and kind.has_template else ""
        found.append((row.key, f"{row.position}: {kind.label if kind else row.kind}{sent}"))
    if kept and kept not in dict(found):
        found.append((kept, f"{kept} (not there)"))
    return found


def _newest(target: Campaign) -> FlowVersion | None:
    """The version people enter, or the one that is being made."""
    return target.current or target.versions.order_by("-number").first()


def _locked(campaign: Campaign) -> Campaign:
    """Locked, so that nobody is let in from two sides at once."""
    return Campaign.objects.select_for_update(no_key=True, of=("self",)).get(pk=campaign.pk)


def _closed(target: Campaign, step_key: str) -> tuple[str, str] | None:
    """Why nobody at all can go on there now: a reason and its words."""
    if target.state != Campaign.State.RUNNING or target.current is None:
        return "not_running", f"“{target}” is not running ({target.get_state_display()})."
    if step_key and not _has(target.current, step_key):
        return "no_such_step", f"“{target}” has no step with the key {step_key} any more."
    return None


def _kept_out(target: Campaign, batch: Batch) -> dict[UUID, tuple[str, str]]:
    """Those who cannot go on there, each with the reason and its words."""
    after = batch.now - timedelta(days=float(target.reentry_days))
    runs = Enrolment.objects.filter(
        campaign=target, contact_id__in={person.contact_id for person in batch.people}
    ).exclude(pk__in=[person.pk for person in batch.people])
    inside: set[UUID] = set()
    lately: set[UUID] = set()
    for contact_id, state, entered_at in runs.values_list("contact_id", "state", "entered_at"):
        if state == Enrolment.State.ACTIVE:
            inside.add(contact_id)
        elif entered_at > after:
            lately.add(contact_id)
    found = {}
    for person in sorted(batch.people, key=lambda person: person.pk):
        if batch.campaign.is_shadow and not person.is_test:
            found[person.pk] = IN_SHADOW.reason, IN_SHADOW.words
        elif person.visit >= MOST_ROUNDS:
            found[person.pk] = "in_circles", f"Was sent on from flow to flow {MOST_ROUNDS} times already."
        elif person.contact_id in inside:
            found[person.pk] = "is_there", f"Is in “{target}” already."
        elif person.contact_id in lately:
            found[person.pk] = "was_there", f"Was in “{target}” less than its re-entry time ago."
        else:
            inside.add(person.contact_id)
    return found


def _let_in(target: Campaign, batch: Batch, people: Sequence[Enrolment]) -> set[UUID]:
    """Put these people in there. Returns the runs of this flow that go on in that one."""
    if not people:
        return set()
    takes = _subject_of(target)
    entrants = [
        Entrant(
            contact_id=person.contact_id,
            entry=f"from:{person.pk}:{batch.step.key}",
            qualified_at=batch.now,
            subject_kind=person.subject_kind if takes == person.subject_kind else "",
            subject_id=person.subject_id if takes == person.subject_kind else None,
            is_test=person.is_test,
            rounds=person.visit + 1,
            evidence={"from": str(batch.campaign), "run": str(person.pk)},
        )
        for person in people
    ]
    came = f"Came from “{batch.campaign}”."
    entered = journeys.enter(target, entrants, batch.now, at_step=batch.params["step"], came=came)
    watching.note_brought(target, entered, batch.now)
    ring("campaigns.advance")
    contacts = {run.contact_id for run in entered}
    return {person.pk for person in people if person.contact_id in contacts}


def _keys_of(version: FlowVersion | None) -> str:
    """The keys of its steps with what they are, to choose from."""
    rows = version.steps.order_by("position", "id") if version else []
    named = [f"{row.key} ({steps.get(row.kind).label})" for row in rows if row.kind in steps]
    return ", ".join(named) or "none yet"


def _has(version: FlowVersion | None, key: str) -> bool:
    return version is not None and version.steps.filter(key=key).exists()


def _subject_of(campaign: Campaign) -> str:
    return triggers.get(campaign.trigger).subject_kind if campaign.trigger in triggers else ""
