"""Carts of browsers nobody is known behind: kept as told, until they become somebody's or are forgotten."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from crm.kernel import ids
from tracking.models import VisitorCart
from tracking.visits.decoding import Act

TELLING = ("cart", "checkout")
_SOURCE = "script"
_CHANGED = ["checkout_id", "currency", "url", "lines", "changed_at"]

Key = tuple[UUID, str]


def lay(acts: Sequence[Act]) -> None:
    """Lay what unknown visitors did to their carts upon what is stored, the newest source time winning.
    Four queries.
    """
    told = [
        act
        for act in acts
        if act.visitor_id and not act.contact_id and act.kind in TELLING and "lines" in act.details
    ]
    if not told:
        return
    stored = VisitorCart.objects.filter(
        visitor_id__in={act.visitor_id for act in told}, token__in={act.details["token"] for act in told}
    )
    before = {(cart.visitor_id, cart.token): cart for cart in stored}
    after: dict[Key, VisitorCart | None] = dict(before)
    for act in sorted(told, key=lambda act: act.at):
        assert act.visitor_id
        key = (act.visitor_id, act.details["token"])
        cart = after.get(key)
        if cart is None and act.details["lines"]:
            cart = after[key] = VisitorCart(
                id=ids.uuid7(), visitor_id=act.visitor_id, token=key[1], source=_SOURCE, opened_at=act.at
            )
        elif cart is None or act.at < cart.changed_at:
            continue
        elif not act.details["lines"]:
            after[key] = None
            continue
        _tell(cart, act)
    kept = [cart for cart in after.values() if cart]
    known = {cart.id for cart in before.values()}
    gone = known - {cart.id for cart in kept}
    VisitorCart.objects.filter(id__in=gone).delete()
    VisitorCart.objects.bulk_update([cart for cart in kept if cart.id in known], _CHANGED, batch_size=1000)
    VisitorCart.objects.bulk_create([cart for cart in kept if cart.id not in known])


def end(orders: Sequence[Act]) -> None:
    """The carts that these orders came from, by the visitor's own word, are no carts any more."""
    own = Q()
    for act in orders:
        if act.visitor_id and act.details.get("cart_token"):
            own |= Q(visitor_id=act.visitor_id, token=act.details["cart_token"], opened_at__lte=act.at)
    if own:
        VisitorCart.objects.filter(own).delete()


def _tell(cart: VisitorCart, act: Act) -> None:
    told = act.details
    cart.lines, cart.changed_at = told["lines"], act.at
    cart.checkout_id = told.get("checkout_id", cart.checkout_id)
    cart.currency, cart.url = told.get("currency", cart.currency), told.get("url", cart.url)
