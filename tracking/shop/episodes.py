"""The episodes of store carts while changes are laid upon them: what each becomes, and what has to be
written.

Messages may come twice, late and in any order. What a cart becomes depends on their source times alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from crm.kernel import ids
from crm.models import Product
from crm.models.writing import update_rows
from tracking.models import Cart, CartLine

Key = tuple[UUID, str, str]


@dataclass(frozen=True)
class Line:
    """One line as the shop tells it."""

    external_id: str = ""
    name: str = ""
    url: str = ""
    image_url: str = ""
    price: Decimal | None = None
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True)
class CartChange:
    """A whole cart as of `at`; no lines: it is empty; lines not told: they are as they were, and only
    the checkout is news. `id` and `opened_at` only for a cart adopted from a
    visitor.
    """

    contact_id: UUID
    token: str
    at: datetime
    lines: Sequence[Line] | None
    source: str = "script"
    checkout_id: str = ""
    currency: str = ""
    url: str = ""
    visitor_id: UUID | None = None
    id: UUID | None = None
    opened_at: datetime | None = None

    @property
    def key(self) -> Key:
        return self.contact_id, self.source, self.token


def lines_of(told: Iterable[dict]) -> list[Line]:
    """Lines as the cleaned message of a script or server spells them."""
    return [
        Line(
            external_id=line.get("product_id", ""),
            name=line.get("name", ""),
            url=line.get("url", ""),
            image_url=line.get("image", ""),
            price=Decimal(line["price"]) if line.get("price") else None,
            quantity=Decimal(line.get("quantity", "1")),
        )
        for line in told
    ]


@dataclass
class Episodes:
    """The newest episode of one store cart while changes are laid upon it, and what has to be written."""

    latest: Cart | None
    lines: list[Line] | None = None
    created: list[Cart] = field(default_factory=list)
    written: dict[UUID, list[Line]] = field(default_factory=dict)
    touched: dict[UUID, Cart] = field(default_factory=dict)


def load(keys: set[Key]) -> dict[Key, Episodes]:
    found: dict[Key, Episodes] = {key: Episodes(None) for key in keys}
    carts = (
        Cart.objects.filter(contact_id__in={key[0] for key in keys}, token__in={key[2] for key in keys})
        .order_by("contact_id", "source", "token", "-changed_at", "-opened_at")
        .distinct("contact_id", "source", "token")
    )
    by_id: dict[UUID, Episodes] = {}
    for cart in carts:
        if known := found.get((cart.contact_id, cart.source, cart.token)):
            known.latest, known.lines = cart, []
            by_id[cart.id] = known
    for line in CartLine.objects.filter(cart_id__in=by_id).order_by("position", "id"):
        known = by_id[line.cart_id]
        assert known.lines is not None
        known.lines.append(
            Line(line.external_id, line.name, line.url, line.image_url, line.price, line.quantity)
        )
    return found


def lay(known: Episodes, change: CartChange, now: datetime) -> None:
    cart = known.latest
    if cart is not None and change.at < max(cart.changed_at, cart.closed_at or cart.changed_at):
        return
    is_open = cart is not None and cart.state == Cart.State.OPEN
    if change.lines is None:
        if cart is not None and is_open and change.checkout_id:
            cart.checkout_id = change.checkout_id
            known.touched[cart.id] = cart
        return
    if not change.lines:
        if cart is not None and is_open:
            cart.state, cart.closed_at, cart.changed_at = Cart.State.EMPTIED, change.at, change.at
            known.touched[cart.id] = cart
        return
    if cart is None or not is_open:
        # The page after the purchase often still shows the bought lines: that is no new cart.
        if cart is not None and cart.state == Cart.State.BOUGHT and list(change.lines) == known.lines:
            return
        cart = Cart(
            id=change.id or ids.uuid7(),
            contact_id=change.contact_id,
            source=change.source,
            token=change.token,
            opened_at=change.opened_at or change.at,
        )
        known.created.append(cart)
        known.latest = cart
    priced = [line for line in change.lines if line.price]
    cart.changed_at, cart.recorded_at, cart.visitor_id = change.at, now, change.visitor_id or cart.visitor_id
    cart.checkout_id = change.checkout_id or cart.checkout_id
    cart.currency, cart.url = change.currency or cart.currency, change.url or cart.url
    cart.total = sum((line.price * line.quantity for line in priced if line.price), Decimal(0))
    cart.item_count = len(change.lines)
    cart.has_priced_line = bool(priced)
    known.lines = list(change.lines)
    known.written[cart.id] = known.lines
    known.touched[cart.id] = cart


_CHANGED = (
    "state",
    "checkout_id",
    "visitor_id",
    "currency",
    "url",
    "total",
    "item_count",
    "has_priced_line",
    "changed_at",
    "recorded_at",
    "closed_at",
)


def write(episodes: list[Episodes]) -> None:
    created = [cart for known in episodes for cart in known.created]
    new = {cart.id for cart in created}
    changed = [cart for known in episodes for cart in known.touched.values() if cart.id not in new]
    written = {cart_id: lines for known in episodes for cart_id, lines in known.written.items()}
    owners = {cart.id: cart.contact_id for known in episodes for cart in known.touched.values()}
    update_rows(changed, *_CHANGED)
    Cart.objects.bulk_create(created)
    CartLine.objects.filter(cart_id__in=[cart_id for cart_id in written if cart_id not in new]).delete()
    products = _products({line.external_id for lines in written.values() for line in lines})
    CartLine.objects.bulk_create(
        CartLine(
            contact_id=owners[cart_id],
            cart_id=cart_id,
            product_id=products.get(line.external_id),
            external_id=line.external_id,
            position=position,
            name=line.name or line.external_id,
            url=line.url,
            image_url=line.image_url,
            price=line.price,
            quantity=line.quantity,
        )
        for cart_id, lines in written.items()
        for position, line in enumerate(lines)
    )


def _products(external_ids: set[str]) -> dict[str, UUID]:
    return dict(
        Product.objects.filter(external_id__in=external_ids - {""})
        .order_by("created_at")
        .values_list("external_id", "id")
    )
