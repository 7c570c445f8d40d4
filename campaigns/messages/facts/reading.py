"""What each person may like to read."""

from __future__ import annotations

from typing import Any

from campaigns.messages import content, recommend
from campaigns.messages.facts.recommend import wanted
from campaigns.messages.kinds import Asked, Fact, facts
from campaigns.messages.variables import Variable


@facts.register
class Reading(Fact):
    """Articles and guides for the categories and brands this person looks at or buys, the newest first; then
    those for everybody. What they opened in the shop in the last half year is left out. Empty where nothing
    is published.
    """

    key = "campaigns.reading"
    label = "Articles and guides"
    name = "reading"
    shape = {
        "items": [
            {
                "title": Variable("its title", "How to place your first pair of speakers"),
                "url": Variable("its page", "https://shop.example.com/journal/placing-speakers"),
                "image": Variable(
                    "its picture", "https://shop.example.com/i/placing.jpg", may_be_missing=True
                ),
                "summary": Variable(
                    "what it is about", "Three measures with a tape, and no more boom.", may_be_missing=True
                ),
            }
        ]
    }

    def load(self, asked: Asked) -> dict[int, Any]:
        cares = recommend.categories_of(wanted(asked.recipients), asked.now)
        items = content.published(asked.now)
        read = content.read_by({one.contact.pk for one in asked.recipients}, items, asked.now)
        return {
            one.key: {
                "items": [
                    {
                        "title": item.title,
                        "url": item.url,
                        "image": item.image_url or None,
                        "summary": item.summary or None,
                    }
                    for item in content.for_somebody(items, cares[one.key], read=read.get(one.contact.pk, ()))
                ]
            }
            for one in asked.recipients
        }
