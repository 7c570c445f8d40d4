"""They say that something is wrong."""

from __future__ import annotations

from crm.kernel.requests import RequestKind, Step, request_kinds


@request_kinds.register
class Rectify(RequestKind):
    """Something we have wrong of them put right, or what is missing filled in."""

    key = "crm.rectify"
    label = "To have something corrected"
    place = 30
    steps = (
        Step(
            key="correct",
            title="Put it right",
            how="Open “Edit this person”, correct it and save: that is written down here by itself. Where you"
            " may not change people, or it stands elsewhere (an order, the shop's own system), ask whoever"
            " may, and write down what was corrected.",
            noted="corrected it",
            button="Correct it on their page…",
            page="admin:crm_contact_change",
            permission="crm.change_contact",
            by_hand="What was corrected, and where",
        ),
    )
    closing = "Tell them what was corrected, and tell whoever got the wrong data from you."
