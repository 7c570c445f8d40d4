"""How often one stranger may do something, counted for all processes together."""

from __future__ import annotations

import logging
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class Allowance:
    """So many times in so many seconds for each key: the counts stand in the cache that all processes share,
    and begin anew with each stretch of so many seconds.
    """

    def __init__(self, name: str, most: int, seconds: int) -> None:
        self.name = name
        self.most = most
        self.seconds = seconds

    def take(self, key: str, now: datetime) -> bool:
        """Once more for this key; no where it was often enough. Where the cache does not answer, yes: a
        person who is let through is worth more than a limit that holds.
        """
        stretch = int(now.timestamp()) // self.seconds
        entry = f"allowance:{self.name}:{key}:{stretch}"
        try:
            cache.add(entry, 0, timeout=2 * self.seconds)
            return cache.incr(entry) <= self.most
        except ValueError:
            return True  # Forgotten between the two: a cache that is full drops what it likes.
        except (RedisError, OSError):
            logger.warning("The cache does not answer: %s is not counted", self.name)
            return True
