"""What stands in every footer beside the address: words of the shop, and where else it can be found."""

from __future__ import annotations

from typing import Any

from campaigns.messages.branding import this_kit
from campaigns.messages.kinds import Asked, Fact, facts
from campaigns.messages.variables import Variable
from campaigns.models import BrandKit


@facts.register
class Brand(Fact):
    """The footer words and the social links of the brand kit, as they are at the moment of sending."""

    key = "campaigns.brand"
    label = "Brand"
    name = "brand"
    is_personal = False
    shape = {
        "words": Variable("the footer words of the brand kit", "Open Monday to Saturday, 9 to 18", True),
        "social": [
            {
                "name": Variable("where else the shop is found", "Instagram"),
                "url": Variable("its page there", "https://social.example/shop"),
            }
        ],
    }

    def load(self, asked: Asked) -> dict[int, Any]:
        told = told_of(this_kit())
        return {one.key: told for one in asked.recipients}


def told_of(kit: BrandKit) -> dict[str, Any]:
    """What a kit tells, in the shape of the fact."""
    return {
        "words": kit.footer_words.strip() or None,
        "social": [{"name": one["name"], "url": one["url"]} for one in kit.social],
    }
