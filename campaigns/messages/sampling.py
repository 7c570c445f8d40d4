"""A message with a little of everything, to look at a brand kit in."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from campaigns.messages import composing, mjml, rendering, variables
from campaigns.messages.branding import look_of
from campaigns.messages.compiling import Rendered
from campaigns.messages.facts import brand
from campaigns.messages.kinds import blocks
from campaigns.models import BrandKit, Sender, TemplateVersion
from crm.models import Product, ShopSettings

WORDS = (
    "this is how a message looks in your colours. [A link](https://shop.example) stands among the words, "
    "and below is what somebody left in the cart."
)
SHOWN = [
    ("campaigns.header", {}),
    ("campaigns.text", {"heading": "Hello {{ contact.first_name | default: 'there' }},", "words": WORDS}),
    ("campaigns.cart", {}),
    ("campaigns.sender", {}),
    ("campaigns.footer", {}),
]


def message(kit: BrandKit, shop: ShopSettings, now: datetime) -> Rendered:
    """The sample in this kit, saved or not."""
    made = composing.made_of(
        [{"kind": kind, "params": blocks.get(kind).blank() | params} for kind, params in SHOWN],
        look_of(kit, shop),
    )
    version = TemplateVersion(
        subject="A sample", html=mjml.compile_html(made.mjml), mjml=made.mjml, text=made.text
    )
    told = {brand.Brand.name: brand.told_of(kit), "cart": _cart(shop)}
    if not Sender.objects.filter(is_default=True).exists():
        told["sender"] = variables.example()["sender"] | {"image": None}
    return rendering.preview(version, None, now, shop=shop, told=told)


def _cart(shop: ShopSettings) -> dict[str, Any]:
    """Two of the shop's own products; without any the example, whose pictures are nowhere."""
    cart: dict[str, Any] = variables.example()["cart"]
    priced = Product.objects.filter(is_active=True, price__gt=0, currency=shop.currency)
    things = list(priced.exclude(image_url="").order_by("-updated_at", "pk")[:2])
    if not things:
        return cart | {"lines": [line | {"image": None} for line in cart["lines"]]}
    lines = [
        {
            "name": one.name,
            "url": one.url or shop.url,
            "image": one.image_url,
            "quantity": 1,
            "price": one.price,
            "total": one.price,
        }
        for one in things
    ]
    total = sum((one.price or Decimal(0) for one in things), Decimal(0))
    return cart | {"lines": lines, "total": total, "currency": shop.currency, "item_count": len(lines)}
