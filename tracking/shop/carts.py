"""Carts of known people, an episode a row: how one changes, when it is *left*, and when it ends."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import (
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Greatest
from django.db.models.lookups import Exact

from crm.models import ContactPoint, Engagement, Order
from crm.models.writing import update_rows
from crm.people.stirring import stir
from tracking.models import Cart, Event, EventKind, Visit
from tracking.shop import episodes
from tracking.shop.episodes import CartChange, Line, lines_of

__all__ = [
    "CartChange",
    "Line",
    "apply_cart_changes",
    "at_checkout",
    "close_all",
    "close_by_token",
    "close_for_orders",
    "close_lately",
    "expire",
    "is_bought",
    "left",
    "left_then",
    "lines_of",
]

FORGOTTEN_AFTER = timedelta(days=30)
# A visit that lasts longer is not looked for.
LONGEST_VISIT = timedelta(hours=12)


def apply_cart_changes(changes: Sequence[CartChange], now: datetime) -> list[UUID]:
    """Lay the changes upon the stored carts, in the order of their source times, by a fixed number of
    queries.

    Returns the carts that changed. A change older than the last one known of its cart is ignored. The
    caller stirs the people, who were here in any case.
    """
    if not changes:
        return []
    known = episodes.load({change.key for change in changes})
    for change in sorted(changes, key=lambda change: change.at):
        episodes.lay(known[change.key], change, now)
    episodes.write(list(known.values()))
    touched = {cart_id: cart for one in known.values() for cart_id, cart in one.touched.items()}
    _close_bought({cart.contact_id for cart in touched.values()}, list(touched))
    return list(touched)


def close_for_orders(order_ids: Sequence[UUID], now: datetime) -> int:
    """End every episode that these orders answer: whatever was bought, it ends the whole cart. Returns how
    many.
    """
    orders = list(
        Order.objects.filter(id__in=order_ids)
        .exclude(status=Order.Status.CANCELLED)
        .values_list("contact_id", "cart_token", "checkout_id", "address_hash")
    )
    if not orders:
        return 0
    contacts, tokens, checkouts, hashes = (set(column) - {"", None} for column in zip(*orders, strict=True))
    contacts |= set(ContactPoint.objects.filter(address_hash__in=hashes).values_list("contact_id", flat=True))
    others = Q(token__in=tokens) | Q(checkout_id__in=checkouts)
    contacts |= set(Cart.objects.filter(others, state=Cart.State.OPEN).values_list("contact_id", flat=True))
    return _close_bought(contacts)


def close_lately(now: datetime) -> int:
    """End the carts that orders of the last hour answer, whoever recorded them. Returns how many."""
    lately = Order.objects.filter(occurred_at__gt=now - timedelta(hours=1))
    return close_for_orders(list(lately.values_list("id", flat=True)), now)


def close_all(now: datetime) -> int:
    """End every open cart that an order answers, also an order that came to be known late."""
    answered = Cart.objects.filter(is_bought(), state=Cart.State.OPEN)
    return _close_bought(set(answered.values_list("contact_id", flat=True)))


@transaction.atomic
def close_by_token(ends: Sequence[tuple[str, datetime]], now: datetime) -> int:
    """A browser nobody vouches for told of an order: its own cart ends, nothing else. Returns how many
    carts.
    """
    closed = 0
    carts = Cart.objects.filter(token__in={token for token, _ in ends if token}, state=Cart.State.OPEN)
    at = dict(sorted(ends, key=lambda end: end[1]))
    ended = [cart for cart in carts.select_for_update(of=["self"]) if cart.opened_at <= at[cart.token]]
    for cart in ended:
        cart.state, cart.closed_at = Cart.State.BOUGHT, at[cart.token]
        closed += 1
    update_rows(ended, "state", "closed_at")
    stir(cart.contact_id for cart in ended)
    return closed


def left(now: datetime, delay: timedelta, since: datetime | None = None) -> QuerySet[Cart]:
    """Open carts with a priced line whose person has done nothing at all for `delay`, and bought nothing
    since.

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
        # By number, so that the questions about orders are asked of these few and not of every open cart.
        span = (since - delay, now - delay)
        seen_lately = Engagement.objects.filter(last_seen_at__range=span).values("contact")
        candidates = Cart.objects.filter(state=Cart.State.OPEN).order_by().values("pk")
        changed, seen_then = (
            candidates.filter(changed_at__range=span),
            candidates.filter(contact__in=seen_lately),
        )
        found = found.filter(pk__in=changed.union(seen_then), idle_since__gt=since - delay)
    return found


def left_then(delay: timedelta, since: datetime, until: datetime) -> QuerySet[Any]:
    """Carts that were left between two past instants, whatever became of them later: nothing done for `delay`
    after the last change, or after the visit it was made in; not ended by then, and nothing bought.

    What somebody emptied later is not among them, nor that a cart was left before its last change.
    """
    visit = Visit.objects.filter(
        contact=OuterRef("contact"),
        started_at__lte=OuterRef("changed_at"),
        ended_at__gte=OuterRef("changed_at"),
    ).order_by("-ended_at")
    orders = Order.objects.filter(
        contact=OuterRef("contact"),
        occurred_at__gte=OuterRef("opened_at"),
        occurred_at__lte=OuterRef("due_at"),
    ).exclude(status=Order.Status.CANCELLED)
    idle_since = Greatest(F("changed_at"), Subquery(visit.values("ended_at")[:1]))
    return (
        Cart.objects.filter(
            has_priced_line=True,
            changed_at__gt=since - delay - LONGEST_VISIT,
            changed_at__lte=until - delay,
            contact__merged_into=None,
        )
        .annotate(idle_since=idle_since)
        .annotate(due_at=ExpressionWrapper(F("idle_since") + Value(delay), output_field=DateTimeField()))
        .filter(Q(closed_at=None) | Q(closed_at__gt=F("due_at")), due_at__gt=since, due_at__lte=until)
        .filter(~Exists(orders))
    )


def at_checkout() -> Q:
    """Carts with which their person got as far as the checkout, in this episode."""
    went = Event.objects.filter(
        Exact(KeyTextTransform("token", "props"), OuterRef("token")),
        contact=OuterRef("contact"),
        kind=EventKind.CHECKOUT,
        occurred_at__gte=OuterRef("opened_at"),
    )
    return ~Q(checkout_id="") | Q(Exists(went))


def is_bought() -> Q:
    """Carts that an order, not cancelled, ended since they were opened: by person, address, cart or checkout.

    Four questions, each with an index of its own: asked as one, they would read every order.
    """
    orders = Order.objects.filter(occurred_at__gte=OuterRef("opened_at")).exclude(
        status=Order.Status.CANCELLED
    )
    own_address = ContactPoint.objects.filter(
        contact=OuterRef(OuterRef("contact")), address_hash=OuterRef("address_hash")
    )
    return (
        Q(Exists(orders.filter(contact=OuterRef("contact"))))
        | Q(Exists(orders.filter(Exists(own_address))))
        | Q(Exists(orders.exclude(cart_token="").filter(cart_token=OuterRef("token"))))
        | Q(Exists(orders.exclude(checkout_id="").filter(checkout_id=OuterRef("checkout_id"))))
    )


@transaction.atomic
def expire(now: datetime) -> int:
    """Forget carts that nobody has changed for 30 days. Returns how many."""
    old = Cart.objects.filter(state=Cart.State.OPEN, changed_at__lte=now - FORGOTTEN_AFTER)
    stir(old.values_list("contact_id", flat=True))
    return old.update(state=Cart.State.EXPIRED, closed_at=F("changed_at") + FORGOTTEN_AFTER)


@transaction.atomic
def _close_bought(contacts: Iterable[UUID], cart_ids: Sequence[UUID] | None = None) -> int:
    """End the open carts of these people that an order answers, whichever of the two came to be known
    first.
    """
    carts = Cart.objects.filter(contact_id__in=list(contacts), state=Cart.State.OPEN)
    if cart_ids is not None:
        carts = carts.filter(id__in=cart_ids)
    opened = list(carts.select_for_update())
    if not opened:
        return 0
    points = ContactPoint.objects.filter(contact_id__in={cart.contact_id for cart in opened})
    owners: dict[bytes, UUID] = {
        bytes(known): owner for known, owner in points.values_list("address_hash", "contact_id")
    }
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
    update_rows(closed, "state", "order_id", "closed_at")
    stir(cart.contact_id for cart in closed)
    return len(closed)
