"""What colleagues wrote down of a person, have to do about them, and were told."""

from __future__ import annotations

from crm.kernel.keeping import Kept, keeping
from crm.models import DataRequest, MarketingPause, Note, Notice, Task


@keeping.register
class Notes(Kept):
    """Notes, calls, meetings, what was learned."""

    key = "crm.notes"
    label = "Notes and calls"
    model = Note


@keeping.register
class Tasks(Kept):
    """What colleagues have to do about them."""

    key = "crm.tasks"
    label = "Tasks"
    model = Task


@keeping.register
class Pauses(Kept):
    """When marketing rested for them, and why."""

    key = "crm.pauses"
    label = "Pauses"
    model = MarketingPause


@keeping.register
class Notices(Kept):
    """What a colleague was told of them."""

    key = "crm.notices"
    label = "Notices to colleagues"
    place = 200
    model = Notice
    hidden = ("key", "handed_at", "problem", "path")


@keeping.register
class Requests(Kept):
    """That their data was given out. Of an erasure nothing but the fact and the counts stays."""

    key = "crm.requests"
    label = "Requests for their data"
    model = DataRequest
    moves = False
    leaves = {"reference": ""}
