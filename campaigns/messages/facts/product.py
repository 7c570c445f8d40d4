"""The product a message is about: it came back, it became cheaper, it is used up by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaigns.messages import goods, recommend, variables
from campaigns.messages.kinds import Asked, Fact, Missing, facts, is_tried
from campaigns.messages.recommend import Wanted
from campaigns.messages.variables import Variable
from crm.models import Contact, OrderLine, PriceChange, Product
from crm.shop import prices
from tracking.models import Event
from tracking.shop.interest import LOOKS

GONE = Missing("product_gone", "The shop no longer has the product it is about.")
SOLD_OUT = Missing("sold_out", "The product it is about is sold out.")
NONE = Missing("no_product", "It speaks of a product, and its campaign is about none.")
LOOKED_FOR = timedelta(days=365)


@facts.register
class TheProduct(Fact):
    """The product the campaign is about, as the shop offers it at the moment of sending. `was` is what the
    site asked when this person last looked at it before the price of now, and `percent` how much less it is;
    both only where it is less. A message about a product that is sold out or gone does not leave.
    """

    key = "campaigns.product"
    label = "The product it is about"
    name = "product"
    shape = goods.SHAPES[0] | {
        "was": Variable(
            "what it cost when they last looked, if more", Decimal("299.00"), may_be_missing=True
        ),
        "percent": Variable("by how many percent it is cheaper than then", 16, may_be_missing=True),
    }

    def subject_of(self, contact: Contact, now: datetime) -> tuple[str, UUID] | None:
        """What they looked at last and did not buy, else what they bought last, if it can be bought."""
        looked = recommend.looked_at([Wanted(0, contact.pk)], now, 1)[0]
        if looked:
            return "product", looked[0].pk
        bought = OrderLine.objects.filter(contact=contact, product__in=Product.objects.buyable())
        last = bought.order_by("-occurred_at").values_list("product_id", flat=True).first()
        return ("product", last) if last else None

    def load(self, asked: Asked) -> dict[int, Any]:
        about = {one.key: one.subject_id for one in asked.recipients if one.subject_kind == "product"}
        products = Product.objects.defer("description").in_bulk(set(about.values()) - {None})
        wants_was = asked.wants("was") or asked.wants("percent")
        pairs = {
            (one.contact.pk, one.subject_id)
            for one in asked.recipients
            if wants_was and one.subject_id in products
        }
        was = _was(pairs, products, asked.now)
        found: dict[int, Any] = {}
        for one in asked.recipients:
            product_id = about.get(one.key)
            product = products.get(product_id) if product_id else None
            if product is None:
                preview = product_id is None and is_tried(one)
                missing = GONE if product_id else NONE
                found[one.key] = variables.example(self.shape) if preview else missing
            elif product.is_sold_out:
                found[one.key] = SOLD_OUT
            else:
                one.shown.update(goods.seen([product]))
                found[one.key] = goods.told(product, asked.shop) | _less(
                    product, was.get((one.contact.pk, product.pk))
                )
        return found

    def goods(self, told: Any) -> dict[str, Any]:
        return {"product.name": [told] if told["name"] else []}


def _less(product: Product, was: Decimal | None) -> dict[str, Any]:
    if was is None or product.price is None or was <= product.price:
        return {"was": None, "percent": None}
    return {"was": was, "percent": int((was - product.price) * 100 / was)}


def _was(
    pairs: Collection[tuple[UUID, UUID | None]], products: Mapping[UUID, Product], now: datetime
) -> dict[tuple[UUID, UUID], Decimal | None]:
    """What the site asked for each product when this person last looked, before it asked what it asks now."""
    if not pairs:
        return {}
    begun = {key: row.occurred_at for key, row in prices.asked(list(products), now).items()}
    looks = Event.objects.filter(
        contact__in={contact for contact, _product in pairs},
        product_id__in=list(begun),
        kind__in=LOOKS,
        occurred_at__gt=now - LOOKED_FOR,
        occurred_at__lte=now,
    ).order_by("-occurred_at")
    last: dict[tuple[UUID, UUID], datetime] = {}
    for contact_id, product_id, at in looks.values_list("contact", "product_id", "occurred_at"):
        if product_id and (contact_id, product_id) in pairs and at < begun[product_id]:
            last.setdefault((contact_id, product_id), at)
    known: dict[UUID, list[PriceChange]] = {}
    of_them = PriceChange.objects.filter(product__in={product_id for _contact, product_id in last})
    for row in of_them.order_by("-occurred_at", "-id"):
        known.setdefault(row.product_id, []).append(row)
    found = {}
    for (contact_id, product_id), at in last.items():
        then = next((row for row in known.get(product_id, ()) if row.occurred_at <= at), None)
        if then and then.currency == products[product_id].currency:
            found[contact_id, product_id] = then.price
    return found
