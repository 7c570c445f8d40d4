"""In turn."""

from __future__ import annotations

from crm.kernel.choosing import Candidate, Chooser, choosers


@choosers.register
class InTurn(Chooser):
    """One after another, each as many as the others. Whoever was away is asked once when they are back, and
    does not have to catch up.
    """

    key = "crm.in_turn"
    label = "in turn"

    def rank(self, candidate: Candidate) -> tuple[int, ...]:
        return candidate.turn, candidate.place
