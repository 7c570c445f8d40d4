"""Random-looking splits that never change their mind: a hash of (salt, id) instead of a die."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

Arm = Literal["control", "treatment"]


def share(salt: str, id: object) -> float:
    """Where this id stands in [0, 1): the same for the same salt, independent between salts."""
    digest = hashlib.sha256(f"{len(salt)}:{salt}:{id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def arm(salt: str, id: object, control_share: float) -> Arm:
    """Whether this id is held out. A larger share keeps those who were held out under a smaller one."""
    if not 0 <= control_share <= 1:
        raise ValueError("a control share lies between 0 and 1")
    return "control" if share(salt, id) < control_share else "treatment"


def pick(salt: str, id: object, weights: Mapping[str, float]) -> str:
    """One of the names, each as often as its weight says."""
    total = sum(weights.values())
    if not weights or total <= 0 or min(weights.values()) < 0:
        raise ValueError("a split needs at least one positive weight and no negative one")
    mark = share(salt, id) * total
    for name, weight in weights.items():
        if mark < weight:
            return name
        mark -= weight
    # Rounding can leave a hair above the last edge.
    return [name for name, weight in weights.items() if weight][-1]
