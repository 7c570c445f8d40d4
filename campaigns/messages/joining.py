"""What joins a message: products of what lost its moment, for the block “Also for you”."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from campaigns.delivery import joining
from campaigns.messages import contexts, goods, kinds, variables
from campaigns.messages.compiling import BrokenTemplate, compiled
from campaigns.messages.kinds import Missing, Recipient
from campaigns.models import Delivery, Joining, Template, TemplateVersion
from crm.models import Contact, Product, ShopSettings
from tracking.models import CartLine

# What messages call them: the place for others, and the products of their own cart.
PLACE, CART = "also.products", "cart.lines"
MOST_JOIN, MOST_EACH = 2, 3


@dataclass(frozen=True, slots=True)
class Part:
    """The products that one run brings: as templates see them, and when each last changed."""

    products: Sequence[dict[str, Any]]
    shown: Mapping[UUID, datetime | None]


def gather(deliveries: Sequence[Delivery], now: datetime) -> None:
    """Set `joined` on these claimed messages: what came along with each, by their order. Written down under
    their leases before they are made, so that whoever fails on the way leaves nothing half done.
    """
    for delivery in deliveries:
        delivery.joined = ()
    ours = [one for one in deliveries if one.counts and one.contact_id]
    waiting = Joining.objects.filter(contact_id__in={one.contact_id for one in ours})
    if not ours or not (people := set(waiting.values_list("contact_id", flat=True))):
        return
    having = _with_a_place(one for one in ours if one.contact_id in people)
    if not having:
        return
    with transaction.atomic():
        rows = joining.may_join({one.contact_id for one in having if one.contact_id}, having, now)
        parts = _parts(rows, now)
        joined: list[Joining] = []
        for delivery in having:
            mine = [row for row in rows if row.pk in parts and _fits(row, delivery)][:MOST_JOIN]
            for row in mine:
                row.joined, row.lease_seen = delivery.public_id, delivery.lease_token
                row.shows = [one["name"] for one in parts[row.pk].products]
            delivery.joined = [parts.pop(row.pk) for row in mine]
            joined += mine
        joining.join(joined, now)


def waiting(contact_ids: Collection[UUID], now: datetime) -> dict[UUID, list[Part]]:
    """What would join a message to each of these people now, for previews."""
    rows = list(joining.waiting(contact_ids, now))
    parts, found = _parts(rows, now), defaultdict[UUID, list[Part]](list)
    for row in rows:
        if row.pk in parts and len(found[row.contact_id]) < MOST_JOIN:
            found[row.contact_id].append(parts[row.pk])
    return found


def has_place(template: Template | None) -> bool:
    """Whether other messages may join one with this wording."""
    return bool(template and template.current and PLACE in _used(template.current))


def brings(template: Template | None) -> bool:
    """Whether a message with this wording shows products, so that it can join another."""
    return bool(_sources(template))


def _with_a_place(deliveries: Iterable[Delivery]) -> list[Delivery]:
    some = list(deliveries)
    templates = Template.objects.select_related("current").in_bulk({one.template_id for one in some} - {None})
    having = {key for key, template in templates.items() if has_place(template)}
    return [one for one in some if one.template_id in having]


def _fits(row: Joining, delivery: Delivery) -> bool:
    return (
        row.contact_id == delivery.contact_id
        and row.channel == delivery.channel
        and row.campaign_id != delivery.campaign_id
    )


def _parts(rows: Sequence[Joining], now: datetime) -> dict[UUID, Part]:
    """What each brings: of what its own message would show first, what can be bought now. Whoever has none of
    it is left out. In a fixed number of queries.
    """
    shop = ShopSettings.objects.filter(pk=1).first() or ShopSettings()
    contacts = Contact.objects.in_bulk({row.contact_id for row in rows})
    sources = {number: _sources(row.template) for number, row in enumerate(rows)}
    used = {number: {name for name in of_it if name != CART} for number, of_it in sources.items()}
    recipients = [_recipient(number, row, contacts[row.contact_id]) for number, row in enumerate(rows)]
    told = contexts.with_facts(recipients, used, shop, now)
    carts = _in_carts(row for number, row in enumerate(rows) if CART in sources[number])
    found = {}
    for number, row in enumerate(rows):
        in_cart = carts.get(row.subject_id, []) if row.subject_id else []
        shown = recipients[number].shown | goods.seen(in_cart)
        lists = {CART: [goods.told(product, shop) for product in in_cart]} | _goods(told[number])
        for source in sources[number]:
            if products := lists.get(source):
                found[row.pk] = Part(products[:MOST_EACH], shown)
                break
    return found


def _goods(told: dict[str, Any] | Missing) -> dict[str, Sequence[dict[str, Any]]]:
    """The products in what the facts told, by what a message calls them."""
    if isinstance(told, Missing):
        return {}
    return {
        source: products
        for fact in kinds.facts
        if fact.name in told
        for source, products in fact.goods(told[fact.name]).items()
    }


def _recipient(number: int, row: Joining, contact: Contact) -> Recipient:
    message = Delivery(contact_id=contact.pk)
    return Recipient(number, contact, contact.email, row.subject_kind, row.subject_id, message)


def _in_carts(rows: Iterable[Joining]) -> dict[UUID, list[Product]]:
    """What can be bought of what lies in the carts these are about."""
    about = {row.subject_id: row.contact_id for row in rows if row.subject_kind == "cart" and row.subject_id}
    if not about:
        return {}
    lines = list(
        CartLine.objects.filter(contact__in=set(about.values()), cart__in=about).order_by("position", "id")
    )
    known = goods.of_lines(lines)
    found: dict[UUID, list[Product]] = defaultdict(list)
    for line in lines:
        product = known.get(line.product_id) if line.product_id else None
        if product and product.url and not product.is_sold_out and product not in found[line.cart_id]:
            found[line.cart_id].append(product)
    return found


def _sources(template: Template | None) -> list[str]:
    """Where the products of a message come from, as it calls them (`viewed.products`), in their order."""
    known = {CART} | {source for fact in kinds.facts for source in fact.goods(variables.nothing(fact.shape))}
    version = template.current if template else None
    if version is None:
        return []
    return sorted(_used(version) & known, key=lambda source: (version.mjml + source).find(source))


def _used(version: TemplateVersion) -> frozenset[str]:
    with suppress(BrokenTemplate):
        return compiled(version.subject, version.html, version.text, version.preheader).used
    return frozenset()
