"""How much one sender may send: sizes, seconds and token buckets."""

from collections import OrderedDict
from functools import lru_cache
from ipaddress import ip_address, ip_network

BODY_BYTES = 64 * 1024
BODY_SECONDS = 30
BURST_SECONDS = 6
TOKEN_LENGTH = 300


class Buckets:
    """A bucket of tokens for each key, refilled at `rate` a second up to `burst`. Forgets the keys not seen
    for longest.
    """

    def __init__(self, rate: float, burst: float, most: int = 50_000) -> None:
        self.rate = rate
        self.burst = burst
        self.most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> bool:
        """Take one token of this key at the monotonic instant `now`; no when there is none left."""
        left, since = self._buckets.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)
        return allowed


@lru_cache(maxsize=10_000)
def network(address: str) -> str:
    """The neighbourhood of an address, /24 or /48: what is kept of it, and no more."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False).network_address)
