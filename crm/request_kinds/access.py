"""They want to know what we keep of them."""

from __future__ import annotations

from crm.kernel.requests import RequestKind, request_kinds
from crm.request_kinds.filing import THE_FILE


@request_kinds.register
class Access(RequestKind):
    """A copy of everything we keep of them, and where it came from."""

    key = "crm.access"
    label = "A copy of what we keep"
    place = 10
    steps = (THE_FILE,)
    closing = (
        "Send them the file by a way only they can open, and say why you keep it, for how long, who else gets"
        " it, and that they may complain to the authority."
    )
