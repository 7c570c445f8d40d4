"""What a channel is: the way one kind of message leaves the house."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from campaigns.delivery.channels.letters import Keyed, Letter, Outcome, Transport
from campaigns.models import Delivery
from crm.kernel.kinds import Kind, Registry
from crm.ticking import ring


class Channel(Kind):
    """A way out. `sends` is the channel named on deliveries; `open` gives what carries their letters.

    `tick` is the job that sends over it: a channel whose receivers may be slow has one of its own. `repeats`
    says that receivers know a repetition by its key, so that what may or may not have arrived is sent again.
    """

    sends = ""
    tick = "campaigns.deliver"
    repeats = False

    def provider(self) -> str:
        """Who takes the messages, as it is noted on each of them."""
        raise NotImplementedError

    def make(self, deliveries: Sequence[Delivery], now: datetime) -> Mapping[int, Any]:
        """What leaves for each of these claimed deliveries, by id; a `RenderProblem` where nothing does."""
        raise NotImplementedError

    def letter(self, key: int, made: Any) -> Keyed:
        """What `make` made, as the transport takes it."""
        return Letter(key, made)

    def open(self) -> Transport:
        """What carries the letters of one run; it asks the fence before the irreversible byte."""
        raise NotImplementedError

    def took(self, outcome: Outcome) -> str:
        """The words of the decision when the receiver took it."""
        return "Sent: the receiving server took it"


channels = Registry(Channel)


def wake(media: Collection[str] | None = None) -> None:
    """Hint at whoever sends over these channels of deliveries, or over any, that there is something to do."""
    for tick in sorted({one.tick for one in channels if media is None or one.sends in media}):
        ring(tick)
