"""Changing the steps of a flow, one act at a time: added, moved, put elsewhere, duplicated, taken out.

Each act locks the campaign and works on the version that may be changed, which is a new one where people may
already walk the newest. Steps are named by their key, which survives versions. Whoever changes a step says
what it looked like to them: where somebody else was faster, the act is refused and nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from campaigns.flows import launching, variants
from campaigns.flows.kinds import steps
from campaigns.flows.outline import Lane, Place, find, outline, place_after
from campaigns.flows.variants import Wanted
from campaigns.models import Campaign, FlowVersion, Step

MOST_STEPS = 100
FIELDS = ("params", "template_id", "offer_id", "path", "only_if", "expires_after")


class CannotEdit(ValueError):
    """This cannot be done to the flow; says why."""


class Gone(CannotEdit):
    """The step is no longer there: somebody took it out meanwhile."""

    def __init__(self) -> None:
        super().__init__("This step is no longer there: somebody deleted it meanwhile.")


class Stale(CannotEdit):
    """Somebody else changed the step since it was looked at; carries how it stands now."""

    def __init__(self, step: Step) -> None:
        super().__init__("Somebody else changed this step since you opened it.")
        self.step = step


@dataclass(frozen=True)
class Saved:
    """A step as it is kept now, and whether anything of it changed."""

    step: Step
    has_changed: bool


def mark(step: Step, wanted: Sequence[Wanted] | None = None) -> str:
    """What a step says, as a short text: the same as long as nobody changed it. `wanted` stands for the
    messages it compares, if they are not stored yet.
    """
    compared = (
        [(row.label, row.template_id, row.weight) for row in step.variants.all()]
        if wanted is None
        else [(one.label, one.template.pk, one.weight) for one in wanted]
    )
    # A number that stands there from the start and one that was typed are the same.
    params = {name: str(value) if isinstance(value, int) else value for name, value in step.params.items()}
    said = [step.kind, params, *(getattr(step, name) for name in FIELDS[1:]), compared]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:20]


def steps_of(version: FlowVersion | None) -> list[Step]:
    """The steps of a version in order, with all that is shown of them."""
    if version is None:
        return []
    rows = version.steps.select_related("template", "offer").prefetch_related("variants__template")
    return list(rows.order_by("position", "id"))


def add(campaign: Campaign, kind: str, after: str, path: str, now: datetime) -> Step:
    """A new step of this kind right below the step `after`, with what its kind begins with."""
    with transaction.atomic():
        lock(campaign)
        shown = outline(steps_of(launching.newest_version(campaign)))
        if sum(1 for _ in shown.rows()) >= MOST_STEPS:
            raise CannotEdit(f"A flow holds {MOST_STEPS} steps at most.")
        _place(shown, after, path)
        version = launching.editable_version(campaign, now)
        step = Step.objects.create(
            version=version,
            key=launching.new_step_key(version, kind),
            kind=kind,
            params=steps.get(kind).blank(),
            path=path,
        )
        _put(version, step, [step.key], after, path)
        step.refresh_from_db(fields=["position"])
        return step


def add_again(campaign: Campaign, wanted: Step, messages: Sequence[Wanted], now: datetime) -> Step:
    """A step that somebody took out while another one was changing it, at the end of the flow."""
    with transaction.atomic():
        lock(campaign)
        version = launching.editable_version(campaign, now)
        wanted.pk, wanted._state.adding, wanted.version = None, True, version
        wanted.key = launching.new_step_key(version, wanted.kind)
        wanted.position = version.steps.count() + 1
        wanted.save()
        variants.keep(wanted, messages)
        _renumber(version)
        return wanted


def save(campaign: Campaign, wanted: Step, messages: Sequence[Wanted], seen: str, now: datetime) -> Saved:
    """Keep what was filled in. Raises Gone, or Stale where the step is no longer what was `seen`."""
    with transaction.atomic():
        stored = _seen(campaign, wanted.key, seen)
        if mark(wanted, messages) == mark(stored):
            return Saved(stored, False)
        version = launching.editable_version(campaign, now)
        step = version.steps.get(key=wanted.key)
        for name in FIELDS:
            setattr(step, name, getattr(wanted, name))
        step.save()
        variants.keep(step, messages)
        _renumber(version)
        return Saved(step, True)


def move(campaign: Campaign, key: str, up: bool, now: datetime) -> bool:
    """One place up or down on its path; paths that part below it come along. Returns whether it moved."""
    with transaction.atomic():
        lock(campaign)
        shown = outline(steps_of(launching.newest_version(campaign)))
        if not may_move(_found(shown, key), up):
            return False
        version = launching.editable_version(campaign, now)
        top = outline(steps_of(version))
        place = _found(top, key)
        beside = place.index + (-1 if up else 1)
        nodes = place.lane.nodes
        nodes[place.index], nodes[beside] = nodes[beside], nodes[place.index]
        _number(top)
        return True


def may_move(place: Place, up: bool) -> bool:
    """Whether something stands above (below) it on its path."""
    return 0 <= place.index + (-1 if up else 1) < len(place.lane.nodes)


def put(campaign: Campaign, key: str, after: str, path: str, now: datetime) -> bool:
    """Take the step, with the paths that part below it, to another place. Returns whether it moved."""
    with transaction.atomic():
        lock(campaign)
        shown = outline(steps_of(launching.newest_version(campaign)))
        place = _found(shown, key)
        carried = [row.key for row in place.lane.nodes[place.index].rows()]
        if after in carried and after != key:
            raise CannotEdit("A step cannot be put among the paths that part below it.")
        target = _place(shown, after, path)
        if after == key or (target.lane is place.lane and target.index in (place.index, place.index + 1)):
            return False
        version = launching.editable_version(campaign, now)
        _put(version, version.steps.get(key=key), carried, after, path)
        return True


def duplicate(campaign: Campaign, key: str, now: datetime) -> Step:
    """A second step with all that is filled in, right below; paths that part below it stay with the first."""
    with transaction.atomic():
        lock(campaign)
        _found(outline(steps_of(launching.newest_version(campaign))), key)
        version = launching.editable_version(campaign, now)
        rows = steps_of(version)
        if len(rows) >= MOST_STEPS:
            raise CannotEdit(f"A flow holds {MOST_STEPS} steps at most.")
        step = next(row for row in rows if row.key == key)
        copy = Step.objects.get(pk=step.pk)
        copy.pk, copy._state.adding = None, True
        copy.key = launching.new_step_key(version, step.kind)
        copy.save()
        variants.copy([(step, copy)])
        _put(version, copy, [copy.key], key, step.path)
        copy.refresh_from_db(fields=["position"])
        return copy


def take_out(campaign: Campaign, key: str, seen: str, now: datetime) -> str:
    """Delete the step. Steps on paths that parted below it stay, for somebody to look at. Returns the key of
    the step above.
    """
    with transaction.atomic():
        version = opened(campaign, key, seen, now)
        rows = steps_of(version)
        number = next(number for number, row in enumerate(rows) if row.key == key)
        rows[number].delete()
        _renumber(version)
        return rows[number - 1].key if number else ""


def opened(campaign: Campaign, key: str, seen: str, now: datetime) -> FlowVersion:
    """The version that may be changed, with the step as it was `seen`. Call it inside a transaction."""
    _seen(campaign, key, seen)
    return launching.editable_version(campaign, now)


def give_up(campaign: Campaign) -> bool:
    """Throw away the version in work: the one in use stays. Returns whether there was one."""
    with transaction.atomic():
        lock(campaign)
        version = launching.newest_version(campaign)
        if version is None or version.frozen_at is not None or version.number == 1:
            return False
        version.delete()
        return True


def lock(campaign: Campaign) -> None:
    """Nobody else changes the flow before this transaction ends."""
    Campaign.objects.select_for_update(no_key=True, of=("self",)).get(pk=campaign.pk)


def _seen(campaign: Campaign, key: str, seen: str) -> Step:
    lock(campaign)
    stored = next((row for row in steps_of(launching.newest_version(campaign)) if row.key == key), None)
    if stored is None:
        raise Gone
    if mark(stored) != seen:
        raise Stale(stored)
    return stored


def _found(top: Lane, key: str) -> Place:
    place = find(top, key)
    if place is None:
        raise Gone
    return place


def _place(top: Lane, after: str, path: str) -> Place:
    place = place_after(top, after, path)
    if place is None:
        raise CannotEdit("The place for it is no longer there: somebody changed the flow meanwhile.")
    return place


def _put(version: FlowVersion, step: Step, carried: Sequence[str], after: str, path: str) -> None:
    """Write the order of the version with the step, and those it carries along, right below `after`."""
    if step.path != path:
        step.path = path
        step.save(update_fields=["path"])
    top = outline(row for row in steps_of(version) if row.key not in carried)
    order = [row.key for row in top.rows()]
    place = _place(top, after, path)
    above = [row.key for node in place.lane.nodes[: place.index] for row in node.rows()]
    last = above[-1] if above else after
    at = order.index(last) + 1 if last else 0
    order[at:at] = carried
    places = {key: number for number, key in enumerate(order, start=1)}
    rows = list(version.steps.all())
    for row in rows:
        row.position = places[row.key]
    Step.objects.bulk_update(rows, ["position"])


def _renumber(version: FlowVersion) -> None:
    _number(outline(steps_of(version)))


def _number(top: Lane) -> None:
    rows = list(top.rows())
    for place, row in enumerate(rows, start=1):
        row.position = place
    Step.objects.bulk_update(rows, ["position"])
