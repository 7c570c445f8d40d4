"""Claimed deliveries become mails: messages to people, each with the offer it may still give and with what
joins it, letters of colleagues, and notices.
"""

from collections.abc import Sequence
from datetime import datetime

from campaigns.delivery.mime import Mail
from campaigns.messages import joining, letters, notices, rendering
from campaigns.messages.rendering import RenderProblem
from campaigns.models import Delivery
from campaigns.offers import granting


def mails(deliveries: Sequence[Delivery], now: datetime) -> dict[int, Mail | RenderProblem]:
    """The mail of each, by id, or why there is none."""
    ours = [one for one in deliveries if one.origin == Delivery.Origin.NOTICE]
    by_hand = [one for one in deliveries if one.origin == Delivery.Origin.PERSONAL]
    theirs = [one for one in deliveries if one not in ours and one not in by_hand]
    refused = granting.look_again(theirs, now)
    ended: dict[int, Mail | RenderProblem] = {
        number: RenderProblem(one.reason, one.words) for number, one in refused.items() if one.ends_it
    }
    going = [one for one in theirs if one.id not in ended]
    joining.gather(going, now)
    written = notices.prepare(ours, now) | letters.prepare(by_hand, now)
    return rendering.prepare(going, now) | written | ended
