"""The first who is at work."""

from __future__ import annotations

from crm.kernel.choosing import Candidate, Chooser, choosers


@choosers.register
class FirstAtWork(Chooser):
    """The first of the list who is at work; the others are asked only where the ones before are away, or did
    not answer.
    """

    key = "crm.first_at_work"
    label = "the first who is at work"

    def rank(self, candidate: Candidate) -> tuple[int, ...]:
        return (candidate.place,)
