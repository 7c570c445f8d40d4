"""What one message may speak of, as plain data, for a whole batch in a fixed number of queries.

Nothing here renders and nothing here decides: consent decides at the fence whether a message leaves; here it
decides only whether its links and its picture are counted.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F

from campaigns.messages import goods, kinds, marking, variables
from campaigns.messages.kinds import Asked, Missing, Recipient
from campaigns.messages.marking import NONE, Marks
from campaigns.models import BrandKit, Delivery, Sender, TemplateVersion
from crm.models import Channel, ConsentState, Contact, ContactPoint, Product, ShopSettings
from crm.people import links as people_links
from tracking.mail import links as mail_links
from tracking.models import Cart, CartLine

MOST_LINES = 50
CLICKS, OPENS = "click_tracking", "open_tracking"


@dataclass(frozen=True, slots=True)
class Context:
    """The data a template sees (in the shape of `kinds.shapes()`), and what the envelope needs."""

    data: dict[str, Any]
    to_address: str
    to_name: str
    sender: Sender
    unsubscribe: str
    counts_clicks: bool = False
    counts_opens: bool = False
    cart_changed_at: datetime | None = None
    shows: Mapping[UUID, datetime | None] = field(default_factory=dict)
    """The products it shows and when each last changed, so that the fence can look at them again."""
    marks: Marks = NONE


@dataclass
class _Rows:
    """Everything the batch needs, loaded once."""

    shop: ShopSettings
    contacts: dict[UUID, Contact]
    addresses: dict[bytes, str]
    carts: dict[UUID, Cart]
    lines: dict[UUID, list[CartLine]]
    products: dict[UUID, Product]
    senders: dict[int, Sender]
    agreed: set[tuple[bytes, str]] = field(default_factory=set)
    marks: dict[int, Marks] = field(default_factory=dict)

    def counts(self, delivery: Delivery, purpose: str) -> bool:
        if delivery.origin in Delivery.TO_US:
            return False
        return not self.shop.tracking_needs_consent or (bytes(delivery.address_hash), purpose) in self.agreed


def build(
    deliveries: Sequence[Delivery], used: Mapping[int, Collection[str]], now: datetime
) -> dict[int, Context | Missing]:
    """The context of each delivery, by its id. `used` says what the messages speak of (`variables.used`), so
    that nothing else is asked for.
    """
    rows = _load(deliveries)
    found = {delivery.pk: _context(delivery, rows, now) for delivery in deliveries}
    recipients = [
        Recipient(
            key=delivery.pk,
            contact=rows.contacts[delivery.contact_id],
            address=context.to_address,
            subject_kind=delivery.subject_kind,
            subject_id=delivery.subject_id,
            delivery=delivery,
        )
        for delivery in deliveries
        if delivery.contact_id and isinstance(context := found[delivery.pk], Context)
    ]
    told = with_facts(recipients, used, rows.shop, now)
    for recipient in recipients:
        context, more = found[recipient.key], told[recipient.key]
        if isinstance(context, Context):
            found[recipient.key] = (
                more
                if isinstance(more, Missing)
                else replace(context, data=context.data | more, shows={**context.shows, **recipient.shown})
            )
    return found


def with_facts(
    recipients: Sequence[Recipient], used: Mapping[int, Collection[str]], shop: ShopSettings, now: datetime
) -> dict[int, dict[str, Any] | Missing]:
    """What the facts tell each recipient whose message speaks of them, or why it must not leave."""
    told: dict[int, dict[str, Any] | Missing] = {one.key: {} for one in recipients}
    wanted = {one.key: kinds.named(used.get(one.key, ())) for one in recipients}
    for fact in kinds.facts:
        asking = [one for one in recipients if fact.key in wanted[one.key]]
        if not asking:
            continue
        names = frozenset().union(*(wanted[one.key][fact.key] for one in asking))
        answers = fact.load(Asked(asking, names, shop, now))
        for one in asking:
            answer, sofar = answers.get(one.key), told[one.key]
            if isinstance(sofar, Missing):
                continue
            if isinstance(answer, Missing):
                told[one.key] = answer
            else:
                sofar[fact.name] = variables.nothing(fact.shape) if answer is None else answer
    return told


def packed(context: Context) -> bytes:
    """The data, the two switches and the marks of the links, small enough to be kept for ever."""
    whole = {"data": context.data, "clicks": context.counts_clicks, "opens": context.counts_opens}
    if context.marks != NONE:
        whole["marks"] = context.marks.kept()
    return zlib.compress(json.dumps(whole, default=_written, separators=(",", ":")).encode())


def unpacked(kept: bytes) -> tuple[dict[str, Any], bool, bool, Marks]:
    """The data, whether clicks and whether opens were counted, and how links were marked."""
    whole = json.loads(zlib.decompress(kept), object_hook=_read)
    return whole["data"], whole["clicks"], whole["opens"], Marks.of(whole.get("marks"))


def _load(deliveries: Sequence[Delivery]) -> _Rows:
    hashes = {bytes(delivery.address_hash) for delivery in deliveries}
    carts = Cart.objects.in_bulk(
        {delivery.subject_id for delivery in deliveries if delivery.subject_kind == "cart"} - {None}
    )
    lines: dict[UUID, list[CartLine]] = {}
    for line in CartLine.objects.filter(
        contact__in={cart.contact_id for cart in carts.values()}, cart__in=carts
    ).order_by("position", "id"):
        lines.setdefault(line.cart_id, []).append(line)
    states = ConsentState.objects.filter(
        address_hash__in=hashes, channel=Channel.EMAIL, purpose__key__in=[CLICKS, OPENS], may_send=True
    )
    points = ContactPoint.objects.filter(address_hash__in=hashes, channel=Channel.EMAIL)
    shop = ShopSettings.objects.filter(pk=1).first() or ShopSettings()
    return _Rows(
        shop=shop,
        contacts=Contact.objects.in_bulk({one.contact_id for one in deliveries} - {None}),
        addresses={
            bytes(address_hash): text for address_hash, text in points.values_list("address_hash", "address")
        },
        carts=carts,
        lines=lines,
        products=goods.of_lines([line for some in lines.values() for line in some]),
        senders=Sender.objects.in_bulk({delivery.sender_id for delivery in deliveries}),
        agreed={
            (bytes(address_hash), key)
            for address_hash, key in states.values_list("address_hash", "purpose__key")
        },
        marks=marking.marks_of(deliveries, BrandKit.objects.filter(pk=1).first() or BrandKit(), shop),
    )


def _context(delivery: Delivery, rows: _Rows, now: datetime) -> Context | Missing:
    contact = rows.contacts.get(delivery.contact_id) if delivery.contact_id else None
    address = delivery.test_address or rows.addresses.get(bytes(delivery.address_hash), "")
    if contact is None or not address:
        return Missing("no_address", "We no longer have an address of theirs.")
    cart = rows.carts.get(delivery.subject_id) if delivery.subject_id else None
    lines = rows.lines.get(cart.pk, []) if cart else []
    if delivery.subject_kind == "cart" and not lines:
        return Missing("cart_gone", "There is nothing left in the cart.")
    shown = [
        rows.products[line.product_id] for line in lines[:MOST_LINES] if line.product_id in rows.products
    ]
    if lines and len(shown) == len(lines) and all(product.is_sold_out for product in shown):
        return Missing("sold_out", "Everything in the cart is sold out.")
    assert delivery.sender_id is not None  # a message has one, by constraint
    sender = rows.senders[delivery.sender_id]
    named = (bytes(delivery.address_hash), delivery.purpose_id, delivery.public_id)
    unsubscribe = people_links.unsubscribe_url(*named)
    return Context(
        data={
            "contact": {"first_name": contact.first_name, "last_name": contact.last_name, "email": address},
            "cart": cart_data(cart, lines, rows.shop, rows.products),
            "sender": sender_data(sender),
            "shop": shop_data(rows.shop),
            "links": {
                "restore": (mail_links.restore_url(cart, delivery.public_id, rows.shop) or cart.url)
                if cart
                else rows.shop.url,
                "unsubscribe": unsubscribe,
                "preferences": people_links.preferences_url(*named),
                "why": people_links.why_url(*named),
            },
            "now": now,
        },
        to_address=address,
        to_name=contact.full_name,
        sender=sender,
        unsubscribe=unsubscribe,
        counts_clicks=rows.counts(delivery, CLICKS),
        counts_opens=rows.counts(delivery, OPENS),
        cart_changed_at=cart.changed_at if cart else None,
        shows=goods.seen(shown),
        marks=rows.marks.get(delivery.pk, NONE),
    )


def cart_data(
    cart: Cart | None, lines: Iterable[CartLine], shop: ShopSettings, products: Mapping[UUID, Product]
) -> dict[str, Any]:
    """A cart as templates see it, with what the shop says of its products now; an empty one where there is
    none.
    """
    lines = list(lines) if cart else []
    told = (
        [goods.line(line, products.get(line.product_id) if line.product_id else None, cart) for line in lines]
        if cart
        else []
    )
    # Of lines whose price the shop has changed since, the total follows.
    dearer = sum(
        (
            new["total"] - line.price * line.quantity
            for new, line in zip(told, lines, strict=True)
            if line.price is not None
        ),
        Decimal(0),
    )
    return {
        "lines": told[:MOST_LINES],
        "total": cart.total + dearer if cart else Decimal(0),
        "currency": (cart.currency if cart else "") or shop.currency,
        "item_count": cart.item_count if cart else 0,
        "url": (cart.url if cart else "") or shop.url,
    }


def sender_data(sender: Sender) -> dict[str, Any]:
    """The sender's card."""
    return {
        "name": sender.person or sender.name,
        "role": sender.role or None,
        "email": sender.reply_to or sender.email,
        "phone": sender.telephone,
        "image": sender.image_url or None,
    }


def shop_data(shop: ShopSettings) -> dict[str, Any]:
    """The shop as it stands in every footer."""
    return {
        "name": shop.name,
        "postal_address": shop.postal_address,
        "telephone": shop.telephone or None,
        "hours": shop.opening_hours or None,
        "url": shop.url,
        "logo": shop.logo_url or None,
        "colour": shop.colour,
    }


def versions(deliveries: Sequence[Delivery], now: datetime) -> dict[int, TemplateVersion]:
    """The newest version of each template of the batch, by template, marked as used before it is read.

    From then on it cannot be changed, so what is read here is what `as_sent` will read.
    """
    wanted = {delivery.template_id for delivery in deliveries}
    newest = TemplateVersion.objects.filter(template__in=wanted, template__current_id=F("pk"))
    newest.filter(used_at=None).update(used_at=now)
    return {version.template_id: version for version in newest}


def _written(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$at": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _read(found: dict[str, Any]) -> Any:
    if "$decimal" in found:
        return Decimal(found["$decimal"])
    if "$at" in found:
        return datetime.fromisoformat(found["$at"])
    return found
