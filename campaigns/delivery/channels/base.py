"""What a channel is: the way one kind of message leaves the house."""

from campaigns.delivery.channels.letters import Transport
from crm.kernel.kinds import Kind, Registry


class Channel(Kind):
    """A way out. `sends` is the channel named on deliveries; `open` gives what carries their letters."""

    sends = ""

    def provider(self) -> str:
        """Who takes the messages, as it is noted on each of them."""
        raise NotImplementedError

    def open(self) -> Transport:
        """What carries the letters of one run; it asks the fence before the irreversible byte."""
        raise NotImplementedError


channels = Registry(Channel)
