"""What a person answers: asked for by the link of a message, kept once a message, correctable for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from campaigns.models import Delivery, Survey, SurveyAnswer, SurveyChoice
from campaigns.models.surveys import LONGEST_WORDS
from campaigns.surveys import links
from crm.models import Contact, ContactPoint
from crm.people import preferences
from crm.people.stirring import stir


@dataclass(frozen=True)
class Question:
    """A message that asks, and the answer its link stands for. `counts` says whether answers are kept: those
    to a message that a colleague sent to themselves are not.
    """

    survey: Survey
    chosen: SurveyChoice
    choices: list[SurveyChoice]
    delivery: Delivery
    contact: Contact
    masked: str

    @property
    def counts(self) -> bool:
        return self.delivery.origin not in Delivery.TO_US

    def choice(self, key: str) -> SurveyChoice | None:
        """One of the answers the page offers, by what its form sends."""
        return next((choice for choice in self.choices if str(choice.pk) == key), None)


def question(token: str) -> Question | None:
    """What the link asks; nothing where it is not ours, or the person is no longer known."""
    tapped = links.read(token)
    if tapped is None:
        return None
    delivery = Delivery.objects.filter(public_id=tapped.public_id).defer("context").first()
    chosen = SurveyChoice.objects.filter(pk=tapped.choice_id).select_related("survey").first()
    if delivery is None or delivery.contact_id is None or chosen is None:
        return None
    known = Contact.objects.filter(pk=delivery.contact_id, erased_at=None)
    contact = known.select_related("merged_into").first()
    if contact is None:
        return None
    offered = [choice for choice in chosen.survey.choices.all() if choice.is_offered or choice == chosen]
    point = ContactPoint.objects.filter(address_hash=delivery.address_hash).first()
    masked = preferences.masked(delivery.test_address or (point.address if point else ""))
    return Question(chosen.survey, chosen, offered, delivery, contact.merged_into or contact, masked)


def answer(asked: Question, choice: SurveyChoice, words: str, now: datetime) -> SurveyAnswer | None:
    """Keep an answer. The same once more changes nothing, another takes the place of the one before.

    Words come after the answer they belong to, and go with it. Nothing is kept of a test.
    """
    if not asked.counts:
        return None
    said = words.strip()[:LONGEST_WORDS]
    with transaction.atomic():
        # Two taps at the same moment take turns, so that the later one corrects the earlier.
        Contact.objects.select_for_update(no_key=True).get(pk=asked.contact.pk)
        before = (
            SurveyAnswer.objects.filter(contact=asked.contact, survey=asked.survey)
            .filter(delivery_id=asked.delivery.pk, replaced_at=None)
            .first()
        )
        if before is not None and before.choice_id == choice.pk:
            if not said or said == before.words:
                return before
            if not before.words:
                before.words = said
                before.save(update_fields=["words"])
                return before
        if before is not None:
            before.replaced_at = now
            before.save(update_fields=["replaced_at"])
        made = SurveyAnswer.objects.create(
            contact=asked.contact,
            survey=asked.survey,
            choice=choice,
            delivery_id=asked.delivery.pk,
            campaign_id=asked.delivery.campaign_id,
            question=asked.survey.question,
            label=choice.label,
            words=said,
            occurred_at=now,
            recorded_at=now,
        )
        stir([asked.contact.pk])
        return made
