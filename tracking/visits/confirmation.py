"""What a person at the shop's page settles: that a click was theirs, and that a cart came back."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Q

from crm.models.writing import update_rows
from tracking.mail import tokens
from tracking.models import Cart
from tracking.visits.decoding import Act

_CONFIRM = """
UPDATE tracking_event SET actor = 'human'
FROM unnest(%s::uuid[], %s::timestamptz[]) AS landed (id, at)
WHERE tracking_event.id = landed.id AND tracking_event.occurred_at = landed.at
    AND tracking_event.kind = 'click' AND tracking_event.actor = 'likely_human'
"""


def confirm(landings: Sequence[tuple[tokens.Landed, Act]]) -> None:
    """A pointer, a key or a scroll on the page it led to: the click was a person's."""
    clicks = {landed.click_id: landed.clicked_at for landed, act in landings if act.is_human}
    if not clicks:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CONFIRM, [list(clicks), list(clicks.values())])


def restore(acts: Sequence[Act]) -> None:
    """Mark the carts that were brought back, and by which delivery's link: also the one they went on in."""
    found = {act.id: (act, token) for act in acts if (token := tokens.read_restore(act.details["token"]))}
    if not found:
        return
    wanted = Q()
    for act, token in found.values():
        wanted |= Q(id=token.cart_id, contact_id=token.contact_id)
        if act.details.get("cart_token"):
            wanted |= Q(contact_id=token.contact_id, token=act.details["cart_token"], state=Cart.State.OPEN)
    carts = {cart.id: cart for cart in Cart.objects.filter(wanted).select_for_update()}
    for act, token in sorted(found.values(), key=lambda pair: pair[0].at):
        for cart in carts.values():
            is_new = cart.contact_id == token.contact_id and cart.token == act.details.get("cart_token")
            if (cart.id == token.cart_id or is_new) and (
                cart.restored_at is None or act.at >= cart.restored_at
            ):
                cart.restored_at = act.at
                cart.restored_ref = None if token.ref == tokens.NOBODY else token.ref
    update_rows(list(carts.values()), "restored_at", "restored_ref")
