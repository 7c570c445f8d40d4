"""Set a code of an offer aside for a person, ahead of the messages that will show it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Step as StepRow
from campaigns.offers import asides
from campaigns.offers.judging import Verdict


@steps.register
class ReserveOffer(Step):
    """Sets a code of the offer aside for the person. Every later message of the campaign that gives the same
    offer shows this code, and nobody gets a second one; whoever was shown a code of the offer before and may
    still use it keeps that one.

    Whoever may not have the offer goes on without it: the discount guard and the ladder judge here as they
    do for messages. A code that no message has shown when the person leaves the campaign goes back to the
    pool.
    """

    key = "campaigns.reserve_offer"
    label = "Set an offer aside"
    group = acting.GIVE
    icon = "redeem"
    has_offer = True

    def run(self, batch: Batch) -> dict[UUID, Move]:
        people, offer = acting.whom(batch), batch.step.offer
        if offer is None:
            raise ValueError("The step has no offer: choose the one it sets aside.")
        real = [person for person in people if not person.is_test]
        tried = [person for person in people if person.is_test]
        found = asides.set_aside(offer, real, batch.now) if real else {}
        found |= asides.rehearse(offer, tried, batch.now) if tried else {}
        for person in people:
            coupon = found[person.pk]
            if isinstance(coupon, Verdict):
                acting.did_not(batch, person, coupon.reason, f"“{offer}” is not set aside: {coupon.words}.")
            else:
                acting.did(batch, person, f"“{offer}” is set aside for them.")
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return f"Set “{step.offer}” aside" if step.offer else self.label

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        if step.offer is None:
            return ["Choose the offer it sets aside."]
        return super().problems(params, step)
