"""A message with a little of everything, to look at a brand kit in."""

from __future__ import annotations

from datetime import datetime

from campaigns.messages import composing, mjml, rendering
from campaigns.messages.branding import look_of
from campaigns.messages.compiling import Rendered
from campaigns.messages.facts import brand
from campaigns.messages.kinds import blocks
from campaigns.models import BrandKit, TemplateVersion
from crm.models import ShopSettings

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
    return rendering.preview(version, None, now, shop=shop, told={brand.Brand.name: brand.told_of(kit)})
