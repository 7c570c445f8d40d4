"""What a channel is: the way one kind of message leaves the house."""

from campaigns.delivery.channels.letters import Transport
from crm.kernel.kinds import Kind, Registry


class Channel(Kind):
    """A way out. `sends` is the channel named on deliveries; `open` gives the transport that carries its letters."""

    sends = ""

    def provider(self) -> str:
        """Who takes the messages, as it is noted on each of them."""
        raise NotImplementedError

    def open(self) -> Transport:
        """A transport for one run. It must ask the fence before the irreversible byte, and end every letter once."""
        raise NotImplementedError


channels = Registry(Channel)
