"""What single acts mean in the words of carts, orders and events."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from crm.people.identity import Known
from crm.shop import intake
from tracking.shop import visitor_carts
from tracking.shop.carts import CartChange, lines_of
from tracking.visits.decoding import Act

_ABOUT_PRODUCTS = ("product", "favourite")
_KEPT = {
    "page": ("title", "referrer"),
    "product": ("name", "price", "category", "brand", "product_id"),
    "favourite": ("name", "price", "category", "brand", "product_id"),
    "search": ("query",),
    "cart": ("token", "currency"),
    "checkout": ("token", "currency"),
    "order": ("id", "total", "currency", "cart_token"),
    "restore": ("cart_token",),
}


def cart_changes(acts: Iterable[Act]) -> list[CartChange]:
    return [
        CartChange(
            contact_id=act.contact_id,
            token=act.details["token"],
            at=act.at,
            lines=lines_of(act.details["lines"]) if "lines" in act.details else None,
            checkout_id=act.details.get("checkout_id", ""),
            currency=act.details.get("currency", ""),
            url=act.details.get("url", ""),
            visitor_id=act.visitor_id,
        )
        for act in acts
        if act.contact_id and act.kind in visitor_carts.TELLING
    ]


def order_in(act: Act, address: str) -> intake.OrderIn:
    """An order as a browser tells of it; what the shop's server says, before or after, stands above."""
    told = act.details
    return intake.OrderIn(
        external_id=told["id"],
        placed_at=act.at,
        total=Decimal(told["total"]),
        known=Known(email=address),
        is_hint=True,
        number=told.get("number", ""),
        currency=told.get("currency", ""),
        discount=Decimal(told.get("discount", "0")),
        shipping=Decimal(told.get("shipping", "0")),
        tax=Decimal(told.get("tax", "0")),
        coupon_code=told.get("coupon", ""),
        cart_token=told.get("cart_token", ""),
        checkout_id=told.get("checkout_id", ""),
        visitor_id=act.visitor_id,
        lines=tuple(
            intake.LineIn(
                name=line.get("name") or line["product_id"],
                product=line.get("product_id", ""),
                sku=line.get("sku", ""),
                quantity=Decimal(line["quantity"]),
                unit_price=Decimal(line.get("price", "0")),
                list_price=Decimal(line["list_price"]) if line.get("list_price") else None,
            )
            for line in told["lines"]
        )
        if told.get("lines")
        else None,
    )


def product_of(act: Act) -> str:
    if act.kind == "custom":
        return str(act.details.get("props", {}).get("product_id", ""))
    return act.details.get("product_id", "") if act.kind in _ABOUT_PRODUCTS else ""


def props(act: Act) -> dict[str, Any]:
    """What is kept beside the columns: small, and nothing that names a person."""
    kept = {name: act.details[name] for name in _KEPT.get(act.kind, ()) if name in act.details}
    if act.kind == "custom":
        kept = act.details.get("props", {}) | {"event": act.details["name"]}
    if "lines" in act.details:
        kept["lines"] = len(act.details["lines"])
    if act.rules:
        kept["rules"] = act.rules
    return kept
