"""They want to take their data elsewhere."""

from __future__ import annotations

from crm.kernel.requests import RequestKind, request_kinds
from crm.request_kinds.filing import THE_FILE


@request_kinds.register
class Portability(RequestKind):
    """Their data in a form that another shop's machines can read."""

    key = "crm.portability"
    label = "Their data to take elsewhere"
    place = 50
    steps = (THE_FILE,)
    closing = "Send them the file, or its person.json to whom they name: other programs read that."
