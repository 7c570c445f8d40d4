"""Carts of known people: told whole, the newest source time wins, an episode a row; when one is *left*, and when it ends.

Messages may come twice, late and in any order. What a cart becomes depends on their source times alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Greatest

from crm.kernel import ids
from crm.models import ContactPoint, Order, Product
from tracking.models import Cart, CartLine

FORGOTTEN_AFTER = timedelta(days=30)

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
    """A whole cart as of `at`; no lines: it is empty. `id` and `opened_at` only for a cart adopted from a visitor."""

    contact_id: UUID
    token: str
    at: datetime
    lines: Sequence[Line]
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
            external_id=line.get("id", ""),
            name=line.get("name", ""),
            url=line.get("url", ""),
            image_url=line.get("image", ""),
            price=Decimal(line["price"]) if line.get("price") else None,
            quantity=Decimal(line.get("quantity", "1")),
        )
        for line in told
    ]


@dataclass
class _Episodes:
    """The newest episode of one store cart while changes are laid upon it, and what has to be written."""

    latest: Cart | None
    lines: list[Line] | None = None
    created: list[Cart] = field(default_factory=list)
    written: dict[UUID, list[Line]] = field(default_factory=dict)
    touched: dict[UUID, Cart] = field(default_factory=dict)


def apply_cart_changes(changes: Sequence[CartChange], now: datetime) -> list[UUID]:
    """Lay the changes upon the stored carts, in the order of their source times, by a fixed number of queries.

    Returns the carts that changed. A change older than the last one known of its cart is ignored.
    """
    if not changes:
        return []
    episodes = _load({change.key for change in changes})
    for change in sorted(changes, key=lambda change: change.at):
        _lay(episodes[change.key], change, now)
    _write(list(episodes.values()))
    touched = {cart_id: cart for known in episodes.values() for cart_id, cart in known.touched.items()}
    _close_bought({cart.contact_id for cart in touched.values()}, list(touched))
    return list(touched)


def close_for_orders(order_ids: Sequence[UUID], now: datetime) -> int:
    """End every episode that these orders answer: whatever was bought, it ends the whole cart. Returns how many."""
    orders = list(
        Order.objects.filter(id__in=order_ids)
        .exclude(status=Order.Status.CANCELLED)
        .values_list("contact_id", "cart_token", "checkout_id")
    )
    contacts = {contact_id for contact_id, _, _ in orders}
    tokens = {token for _, token, _ in orders if token}
    checkouts = {checkout for _, _, checkout in orders if checkout}
    if not orders:
        return 0
    others = Q(token__in=tokens) | Q(checkout_id__in=checkouts)
    contacts |= set(Cart.objects.filter(others, state=Cart.State.OPEN).values_list("contact_id", flat=True))
    return _close_bought(contacts)


def close_by_token(ends: Sequence[tuple[str, datetime]], now: datetime) -> int:
    """A browser nobody vouches for told of an order: its own cart ends, nothing else. Returns how many carts."""
    closed = 0
    carts = Cart.objects.filter(token__in={token for token, _ in ends if token}, state=Cart.State.OPEN)
    at = {token: instant for token, instant in sorted(ends, key=lambda end: end[1])}
    ended = [cart for cart in carts.select_for_update(of=["self"]) if cart.opened_at <= at[cart.token]]
    for cart in ended:
        cart.state, cart.closed_at = Cart.State.BOUGHT, at[cart.token]
        closed += 1
    Cart.objects.bulk_update(ended, ["state", "closed_at"])
    return closed


def left(now: datetime, delay: timedelta, since: datetime | None = None) -> QuerySet[Cart]:
    """Open carts with a priced line whose person has done nothing at all for `delay`, and bought nothing since.

    Annotated with `idle_since`, the person's last activity on any device, and `due_at`. With `since`, only
    those that fell due after it: that reads what changed lately instead of every open cart.
    """
    seen = F("contact__engagement__last_seen_at")
    found = (
        Cart.objects.filter(state=Cart.State.OPEN, has_priced_line=True, changed_at__lte=now - delay)
        # GREATEST of PostgreSQL passes over the missing one.
        .annotate(idle_since=Greatest(F("changed_at"), seen))
        .annotate(due_at=ExpressionWrapper(F("idle_since") + Value(delay), output_field=DateTimeField()))
        .filter(idle_since__lte=now - delay)
        .exclude(is_bought())
    )
    if since is not None:
        lately = Q(changed_at__gt=since - delay) | Q(contact__engagement__last_seen_at__gt=since - delay)
        found = found.filter(lately, idle_since__gt=since - delay)
    return found


def is_bought() -> Q:
    """Carts that an order, not cancelled, ended since they were opened: by person, address, cart or checkout.

    Four questions, each with an index of its own: asked as one, they would read every order.
    """
    orders = Order.objects.filter(occurred_at__gte=OuterRef("opened_at")).exclude(status=Order.Status.CANCELLED)
    own_address = ContactPoint.objects.filter(
        contact=OuterRef(OuterRef("contact")), address_hash=OuterRef("address_hash")
    )
    return (
        Q(Exists(orders.filter(contact=OuterRef("contact"))))
        | Q(Exists(orders.filter(Exists(own_address))))
        | Q(Exists(orders.exclude(cart_token="").filter(cart_token=OuterRef("token"))))
        | Q(Exists(orders.exclude(checkout_id="").filter(checkout_id=OuterRef("checkout_id"))))
    )


def expire(now: datetime) -> int:
    """Forget carts that nobody has changed for 30 days. Returns how many."""
    old = Cart.objects.filter(state=Cart.State.OPEN, changed_at__lte=now - FORGOTTEN_AFTER)
    return old.update(state=Cart.State.EXPIRED, closed_at=F("changed_at") + FORGOTTEN_AFTER)


def _load(keys: set[Key]) -> dict[Key, _Episodes]:
    found: dict[Key, _Episodes] = {key: _Episodes(None) for key in keys}
    carts = (
        Cart.objects.filter(contact_id__in={key[0] for key in keys}, token__in={key[2] for key in keys})
        .order_by("contact_id", "source", "token", "-changed_at", "-opened_at")
        .distinct("contact_id", "source", "token")
    )
    by_id: dict[UUID, _Episodes] = {}
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


def _lay(known: _Episodes, change: CartChange, now: datetime) -> None:
    cart = known.latest
    if cart is not None and change.at < max(cart.changed_at, cart.closed_at or cart.changed_at):
        return
    is_open = cart is not None and cart.state == Cart.State.OPEN
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


def _write(episodes: list[_Episodes]) -> None:
    created = [cart for known in episodes for cart in known.created]
    new = {cart.id for cart in created}
    changed = [cart for known in episodes for cart in known.touched.values() if cart.id not in new]
    written = {cart_id: lines for known in episodes for cart_id, lines in known.written.items()}
    owners = {cart.id: cart.contact_id for known in episodes for cart in known.touched.values()}
    Cart.objects.bulk_update(changed, _CHANGED)
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
        Product.objects.filter(external_id__in=external_ids - {""}).order_by("created_at").values_list("external_id", "id")
    )


def _close_bought(contacts: Iterable[UUID], cart_ids: Sequence[UUID] | None = None) -> int:
    """End the open carts of these people that an order answers, whichever of the two came to be known first."""
    carts = Cart.objects.filter(contact_id__in=list(contacts), state=Cart.State.OPEN)
    if cart_ids is not None:
        carts = carts.filter(id__in=cart_ids)
    opened = list(carts.select_for_update())
    if not opened:
        return 0
    points = ContactPoint.objects.filter(contact_id__in={cart.contact_id for cart in opened})
    owners: dict[bytes, UUID] = {bytes(known): owner for known, owner in points.values_list("address_hash", "contact_id")}
    answering = Q(contact_id__in={cart.contact_id for cart in opened}) | Q(address_hash__in=list(owners))
    if tokens := {cart.token for cart in opened}:
        answering |= Q(cart_token__in=tokens) & ~Q(cart_token="")
    if checkouts := {cart.checkout_id for cart in opened} - {""}:
        answering |= Q(checkout_id__in=checkouts)
    orders = (
        Order.objects.filter(answering, occurred_at__gte=min(cart.opened_at for cart in opened))
        .exclude(status=Order.Status.CANCELLED)
        .order_by("occurred_at", "id")
    )
    by: dict[tuple[str, object], list[Order]] = defaultdict(list)
    for order in orders:
        by["contact", order.contact_id].append(order)
        by["contact", owners.get(bytes(order.address_hash or b""))].append(order)
        by["token", order.cart_token].append(order)
        by["checkout", order.checkout_id or None].append(order)
    closed = []
    for cart in opened:
        answers = (
            order
            for key in (("contact", cart.contact_id), ("token", cart.token), ("checkout", cart.checkout_id))
            for order in by.get(key, ())
            if order.occurred_at >= cart.opened_at
        )
        if first := min(answers, key=lambda order: order.occurred_at, default=None):
            cart.state, cart.order_id, cart.closed_at = Cart.State.BOUGHT, first.id, first.occurred_at
            closed.append(cart)
    Cart.objects.bulk_update(closed, ["state", "order_id", "closed_at"])
    return len(closed)
