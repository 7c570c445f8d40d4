"""A step that was deleted, kept for whoever deleted it: put back as it was, where it was.

It can be put back as long as the flow is as the deletion left it, in a version that nobody walks yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import serializers
from django.db import transaction

from campaigns.flows import editing, launching
from campaigns.models import Campaign, FlowVersion, Offer, Step, Template

CHANGED = "The flow was changed since, so the step cannot be put back where it was."


@dataclass(frozen=True)
class Deleted:
    """The step with the messages it compared, as text; the place of every step before; the flow after."""

    version_id: int
    key: str
    kind: str
    rows: str
    places: dict[str, int]
    left: str


def take_out(campaign: Campaign, key: str, seen: str, now: datetime) -> Deleted:
    """Delete the step as `editing.take_out` does, and return what brings it back."""
    with transaction.atomic():
        version = editing.opened(campaign, key, seen, now)
        before = editing.steps_of(version)
        step = next(row for row in before if row.key == key)
        rows = serializers.serialize("json", [step, *step.variants.all()])
        editing.take_out(campaign, key, seen, now)
        places = {row.key: row.position for row in before}
        return Deleted(version.pk, key, step.kind, rows, places, _mark(editing.steps_of(version)))


def may_put_back(version: FlowVersion | None, rows: Sequence[Step], deleted: Deleted) -> bool:
    """Whether the newest version, with these steps, is as the deletion left it."""
    return (
        version is not None
        and version.pk == deleted.version_id
        and version.frozen_at is None
        and _mark(rows) == deleted.left
    )


def put_back(campaign: Campaign, deleted: Deleted) -> Step:
    """The step as it was, where it was. Raises CannotEdit where the flow or its message is another by now."""
    with transaction.atomic():
        editing.lock(campaign)
        version = launching.newest_version(campaign)
        rows = editing.steps_of(version)
        if not may_put_back(version, rows, deleted):
            raise editing.CannotEdit(CHANGED)
        found = [one.object for one in serializers.deserialize("json", deleted.rows)]
        _look_for_what_it_needs(found)
        for row in rows:
            row.position = deleted.places[row.key]
        Step.objects.bulk_update(rows, ["position"])
        for one in found:
            one.save(force_insert=True)
        return next(row for row in editing.steps_of(version) if row.key == deleted.key)


def _look_for_what_it_needs(found: Sequence[Any]) -> None:
    """Nothing held its messages and its offer while it was gone."""
    for model, name in ((Template, "template_id"), (Offer, "offer_id")):
        needed = {pk for one in found if (pk := getattr(one, name, None)) is not None}
        if model._default_manager.filter(pk__in=needed).count() < len(needed):
            raise editing.CannotEdit(
                "A message or an offer of the step was deleted since: it cannot come back."
            )


def _mark(rows: Sequence[Step]) -> str:
    said = [(row.key, row.position, editing.mark(row)) for row in rows]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:20]
