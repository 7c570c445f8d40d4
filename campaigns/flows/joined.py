"""People of a step who wait to join another message, and those whom one took in."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from campaigns.delivery import joining
from campaigns.delivery.arbitration import No
from campaigns.flows.kinds import Batch, Move
from campaigns.flows.waiting import Waits
from campaigns.messages.joining import brings
from campaigns.models import Campaign, Decision, Delivery, Enrolment, Joining, Template


class Joins:
    """What became of those of a batch whom a message took in: they go on as if they had got their own. `left`
    are all others, whom the step has to deal with; whom a sender has in hand at this moment stays.
    """

    def __init__(self, batch: Batch, waits: Waits, moves: dict[UUID, Move]) -> None:
        self.batch = batch
        self.waits = waits
        self.left: list[Enrolment] = []
        self._before = waits.before()
        self._new: list[Joining] = []
        fates = joining.fates(self._before) if self._before else {}
        for person in batch.people:
            fate = fates.get(person.pk)
            if fate and fate.is_in_hand:
                del self._before[person.pk]
                until = batch.now + joining.LOOKS_AGAIN
                if move := waits.tell(person, No("joining", until=until)):
                    moves[person.pk] = move
            elif fate and fate.has_left:
                evidence = {"delivery": str(fate.delivery), "products": list(fate.shows)}
                batch.decide(person, Decision.Verdict.JOINED, "joined", fate.words[:300], evidence)
            else:
                if fate:
                    batch.decide(person, Decision.Verdict.WAITED, "not_joined", fate.words[:300])
                self.left.append(person)

    def templates(self, deliveries: Iterable[Delivery]) -> set[int]:
        """From which templates of these a message may join another: those that show products. Nothing of a
        campaign in shadow does.
        """
        campaign = self.batch.campaign
        if campaign.when_beaten != Campaign.WhenBeaten.JOIN or campaign.is_shadow:
            return set()
        keys = {delivery.template_id for delivery in deliveries} - {None}
        found = Template.objects.select_related("current").in_bulk(keys)
        return {key for key, template in found.items() if brings(template)}

    def wait(self, person: Enrolment, delivery: Delivery) -> None:
        """This message of theirs may join another from now on."""
        assert delivery.template_id is not None
        self._new.append(
            Joining(
                enrolment_id=person.pk,
                place=self.waits.place(person),
                campaign=self.batch.campaign,
                template_id=delivery.template_id,
                **{name: getattr(delivery, name) for name in SHARED},
            )
        )

    def store(self) -> None:
        joining.wait_to_join(self._new, self._before)


SHARED = (
    "channel",
    "contact_id",
    "address_hash",
    "purpose_id",
    "subject_kind",
    "subject_id",
    "since",
    "cart_token",
    "checkout_id",
    "not_after",
)
