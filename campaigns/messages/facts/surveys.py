"""The surveys a message asks: the question, and each answer with its own link."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch

from campaigns.messages.kinds import NOWHERE, Asked, Fact, Recipient, facts
from campaigns.messages.variables import EVERYTHING, Named, Variable
from campaigns.models import Survey, SurveyChoice
from campaigns.surveys import links


@facts.register
class Surveys(Fact):
    """Each survey under its name in messages: `surveys.why_not.question`, and its answers with a link each,
    made for the one message that carries it.
    """

    key = "campaigns.surveys"
    label = "Surveys"
    name = "surveys"
    is_personal = False
    shape = Named(
        {
            "question": Variable("what is asked", "What held you back?"),
            "answers": [
                {
                    "label": Variable("an answer", "The price"),
                    "url": Variable("the page with this answer chosen", "https://m.example.com/s/abc"),
                }
            ],
        },
        "why_not",
    )

    def load(self, asked: Asked) -> dict[int, dict[str, Any]]:
        offered = SurveyChoice.objects.filter(is_offered=True)
        surveys = Survey.objects.prefetch_related(Prefetch("choices", offered, to_attr="offered"))
        if EVERYTHING not in asked.names:
            surveys = surveys.filter(slug__in=asked.names)
        found = list(surveys)
        return {one.key: {survey.slug: _told(survey, one) for survey in found} for one in asked.recipients}

    def problems(self, names: Iterable[str]) -> list[str]:
        wanted = sorted(names)
        known = set(Survey.objects.filter(slug__in=wanted).values_list("slug", flat=True))
        return [f"there is no survey called {name}" for name in wanted if name not in known]


def _told(survey: Any, one: Recipient) -> dict[str, Any]:
    return {
        "question": survey.question,
        "answers": [
            {
                "label": choice.label,
                "url": links.answer_url(one.delivery.public_id, choice.pk) if one.delivery else NOWHERE,
            }
            for choice in survey.offered
        ],
    }
