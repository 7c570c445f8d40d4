"""Whoever has fewest leads."""

from __future__ import annotations

from crm.kernel.choosing import Candidate, Chooser, choosers


@choosers.register
class FewestOpen(Chooser):
    """Whoever has fewest leads to look after now, ready or accepted; of several, who has waited longest."""

    key = "crm.fewest_open"
    label = "who has fewest leads"

    def rank(self, candidate: Candidate) -> tuple[int, ...]:
        return candidate.open, candidate.turn, candidate.place
