"""How one of several colleagues is chosen for a lead. Each way is a kind, in a module called `choosers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.kernel.kinds import Kind, Registry


@dataclass
class Candidate:
    """A colleague at work who could get the next lead.

    `place` is where they stand in the list of the rule, `turn` when they last got one by it (0: never; it
    only rises), `open` how many leads they have to look after now.
    """

    user: Any
    place: int
    turn: int
    open: int


class Chooser(Kind):
    """One way of choosing: whoever ranks lowest gets the lead, and is ranked anew for the next one."""

    def rank(self, candidate: Candidate) -> tuple[int, ...]:
        raise NotImplementedError(f"{type(self).__name__} ranks nobody")


choosers: Registry[Chooser] = Registry(Chooser)
