"""They want to be forgotten."""

from __future__ import annotations

from crm.kernel.requests import RequestKind, Step, request_kinds


@request_kinds.register
class Erase(RequestKind):
    """Everything we keep of them deleted for good. Erasing answers the request by itself."""

    key = "crm.erase"
    label = "To be erased"
    place = 20
    steps = (
        Step(
            key="erase",
            title="Tell them, then erase",
            how="First tell them that it will be done: afterwards nobody can write to them. Erasing takes"
            " their name and your own password, says what is to be done by hand in other systems, and closes"
            " this request.",
            noted="erased them",
            button="Erase this person…",
            page="admin:crm_contact_erase",
            permission="crm.handle_requests",
        ),
    )
    ends_by_erasing = True
