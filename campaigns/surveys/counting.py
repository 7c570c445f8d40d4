"""What the answers to a survey add up to. Test persons do not count, nor what was corrected since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from campaigns.models import Campaign, Survey, SurveyAnswer, SurveyChoice
from campaigns.surveys import asking
from crm.access import reach

SHOWN_WORDS = 50


@dataclass(frozen=True)
class Bar:
    """One answer: how many gave it, and their share of all who answered, in per cent."""

    choice: SurveyChoice
    number: int
    share: float

    @property
    def percent(self) -> int:
        return round(self.share)


@dataclass(frozen=True)
class Counts:
    """How many messages asked, how many answers came, and which."""

    asked: int
    answered: int
    bars: Sequence[Bar]

    @property
    def rate(self) -> float | None:
        """Answers to a hundred messages."""
        return 100 * self.answered / self.asked if self.asked else None


def answers(survey: Survey) -> QuerySet[SurveyAnswer]:
    """The answers that count."""
    return SurveyAnswer.objects.filter(survey=survey, replaced_at=None, contact__is_test=False)


def counts(survey: Survey) -> Counts:
    """Bars by answer, those no longer offered among them where somebody gave them."""
    numbers = dict(
        answers(survey).order_by().values("choice").annotate(n=Count("pk")).values_list("choice", "n")
    )
    answered = sum(numbers.values())
    bars = [
        Bar(choice, numbers.get(choice.pk, 0), 100 * numbers.get(choice.pk, 0) / answered if answered else 0)
        for choice in survey.choices.all()
        if choice.is_offered or choice.pk in numbers
    ]
    return Counts(_asked(survey), answered, bars)


def latest_words(survey: Survey) -> list[SurveyAnswer]:
    """What people wrote in their own words, the newest first."""
    written = reach.seen(answers(survey).exclude(words="")).select_related("contact", "choice")
    return list(written.order_by("-occurred_at", "-pk")[:SHOWN_WORDS])


def _asked(survey: Survey) -> int:
    versions = list(asking.versions(survey).values_list("pk", "template_id"))
    if not versions:
        return 0
    templates = {template for _version, template in versions}
    # By campaign, for that is what deliveries are found by.
    sends = Q(versions__steps__template__in=templates) | Q(versions__steps__variants__template__in=templates)
    using = Campaign.objects.filter(sends).values("pk")
    sent = asking.deliveries(survey).filter(campaign__in=using)
    return sent.count()


def of_contact(contact_id: UUID, limit: int) -> list[SurveyAnswer]:
    """The latest answers of one person that count."""
    rows = SurveyAnswer.objects.filter(contact=contact_id, replaced_at=None).select_related("survey")
    return list(rows.order_by("-occurred_at", "-pk")[:limit])
