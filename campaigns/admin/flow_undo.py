"""The step a colleague deleted last in a flow, in their session: a reload of the page still offers *Undo*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest

from campaigns.flows import editing, permitted, undoing
from campaigns.flows.undoing import Deleted
from campaigns.models import Campaign, FlowVersion, Step

LASTS = timedelta(hours=1)
_NAME = "flow_step_deleted"


@dataclass(frozen=True)
class Undo:
    """What is offered: the step that was deleted, and what it did in words."""

    deleted: Deleted
    words: str


def delete(request: HttpRequest, campaign: Campaign, key: str, seen: str, words: str, now: datetime) -> None:
    """Delete the step, and offer it from now on instead of what was deleted before."""
    deleted = undoing.take_out(campaign, key, seen, now)
    request.session[_NAME] = {
        "campaign": campaign.pk,
        "until": (now + LASTS).timestamp(),
        "words": words,
        "deleted": asdict(deleted),
    }


def put_back(request: HttpRequest, campaign: Campaign, now: datetime) -> Step:
    """Put back what was deleted last. Raises CannotEdit where that cannot be."""
    undo = _kept(request, campaign, now)
    if undo is None:
        raise editing.CannotEdit("That was too long ago to be undone: add the step anew.")
    if held := permitted.refusal(undo.deleted.kind, request.user.has_perm):
        raise editing.CannotEdit(held)
    step = undoing.put_back(campaign, undo.deleted)
    del request.session[_NAME]
    return step


def offered(
    request: HttpRequest, campaign: Campaign, version: FlowVersion | None, rows: Sequence[Step], now: datetime
) -> Undo | None:
    """What can be undone now: deleted within the last hour, the flow as the deletion left it."""
    undo = _kept(request, campaign, now)
    return undo if undo and undoing.may_put_back(version, rows, undo.deleted) else None


def _kept(request: HttpRequest, campaign: Campaign, now: datetime) -> Undo | None:
    """What was deleted in this flow within the last hour, if anything."""
    stored = request.session.get(_NAME)
    if not stored or stored["campaign"] != campaign.pk or stored["until"] < now.timestamp():
        return None
    return Undo(Deleted(**stored["deleted"]), stored["words"])
