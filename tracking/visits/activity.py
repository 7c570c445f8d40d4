"""When each person was last here, clicked, opened, changed a cart: one narrow row a contact, kept up for
everybody to read.
"""

from datetime import datetime
from uuid import UUID

from crm.people import engagement
from crm.people.engagement import Moment


class Activity:
    """What a batch says of when people were active; written by a statement a moment."""

    def __init__(self) -> None:
        self._moments: dict[Moment, dict[UUID, datetime]] = {}

    def note(self, contact_id: UUID, at: datetime, *moments: Moment) -> None:
        for moment in moments:
            known = self._moments.setdefault(moment, {})
            known[contact_id] = max(at, known.get(contact_id, at))

    def write(self) -> None:
        for moment, people in sorted(self._moments.items()):
            engagement.touch(moment, people)


def moments_of(kind: str, is_human: bool, ref: UUID | None = None) -> tuple[Moment, ...]:
    """What an act of this kind is a sign of. An open proves nothing: machines open, too. Whoever arrives from
    a message they were sent (`ref`) has clicked in it.
    """
    if not is_human:
        return ()
    if kind == "landing" and ref is not None:
        return ("last_seen_at", "last_click_at")
    return _SIGNS.get(kind, ("last_seen_at",))


_SIGNS: dict[str, tuple[Moment, ...]] = {
    # The order itself says when: engagement is counted anew with it.
    "order": (),
    "open": ("last_open_at",),
    "click": ("last_seen_at", "last_click_at"),
    "cart": ("last_seen_at", "last_cart_at"),
    "reply": ("last_reply_at",),
}

SIGNS_OF_LIFE = """
    SELECT contact_id, occurred_at FROM tracking_event
    WHERE kind <> 'open' AND actor IN ('human', 'likely_human')
"""
"""Every one there was, as a query of (contact, instant): for what is written of the past."""
