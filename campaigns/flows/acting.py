"""What steps that change, give or tell something have in common: for whom they act, what is noted of it, and
the key by which doing it again does nothing.
"""

from __future__ import annotations

from campaigns.flows.kinds import Batch
from campaigns.models import Decision, Enrolment

WRITE, WAIT, PART, END = "Write to them", "Wait", "Part ways", "End"
CHANGE, GIVE, TELL = "Change the person", "Give", "Tell"
GROUPS = (WRITE, WAIT, PART, GIVE, CHANGE, TELL, END)
"""As the menu of steps has them."""


def whom(batch: Batch) -> list[Enrolment]:
    """Those a step acts for; the others have their decision. It holds for changes of the contact as well: a
    tag, a stage, an owner or a status decides what else reaches a person.
    """
    return [person for person in batch.people if not batch.withhold(person)]


def actor(batch: Batch) -> str:
    """Who did it, as it stands in histories."""
    return f"the campaign “{batch.campaign}”"


def once(batch: Batch, person: Enrolment) -> str:
    """The same for the same person at the same step and visit: what it makes is made once."""
    return f"flow:{person.pk}:{batch.step.key}:{person.visit}"


def did(batch: Batch, person: Enrolment, words: str, *, changed: bool = True) -> None:
    """Note what was done, or that there was nothing to do."""
    words = words if changed else f"Nothing to do: {words[:1].lower()}{words[1:]}"
    batch.decide(person, Decision.Verdict.DONE, "done" if changed else "already", words[:300])


def did_not(batch: Batch, person: Enrolment, reason: str, words: str) -> None:
    """Note why it could not be done for this person."""
    batch.decide(person, Decision.Verdict.SKIPPED, reason, words[:300])
