"""Whether opens and clicks of these people may be kept. A withdrawal silences messages sent long before,
too.
"""

from collections.abc import Iterable
from uuid import UUID

from crm.models import ConsentState, ContactPoint, ShopSettings

PURPOSES = {"open": "open_tracking", "click": "click_tracking"}
_SAID_NO = (ConsentState.Status.WITHDRAWN, ConsentState.Status.REFUSED)


def tracked(contact_ids: Iterable[UUID]) -> dict[str, set[UUID]]:
    """For opens and for clicks, the people among these of whom we may keep them. Three queries."""
    wanted = set(contact_ids)
    found: dict[str, set[UUID]] = {kind: set() for kind in PURPOSES}
    if not wanted:
        return found
    shop = ShopSettings.objects.filter(pk=1).first()
    needs_consent = shop is None or shop.tracking_needs_consent
    points = ContactPoint.objects.filter(contact_id__in=wanted).values_list("address_hash", "contact_id")
    owners = {bytes(address_hash): contact_id for address_hash, contact_id in points}
    states = ConsentState.objects.filter(address_hash__in=list(owners), purpose__key__in=PURPOSES.values())
    yes: dict[str, set[UUID]] = {key: set() for key in PURPOSES.values()}
    no: dict[str, set[UUID]] = {key: set() for key in PURPOSES.values()}
    for address_hash, purpose, may, status in states.values_list(
        "address_hash", "purpose__key", "may_send", "status"
    ):
        contact_id = owners[bytes(address_hash)]
        if may:
            yes[purpose].add(contact_id)
        elif status in _SAID_NO:
            no[purpose].add(contact_id)
    for kind, purpose in PURPOSES.items():
        found[kind] = (yes[purpose] if needs_consent else wanted) - no[purpose]
    return found
