"""Which messages asked a survey, and whom."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from campaigns.models import Delivery, DeliveryState, Survey, Template, TemplateVersion


def versions(survey: Survey) -> QuerySet[TemplateVersion]:
    """The versions of messages that speak of a survey."""
    # Names are small letters, digits and _: nothing in them means anything to the pattern.
    spoken = rf"surveys\.{survey.slug}\M"
    return TemplateVersion.objects.filter(Q(mjml__regex=spoken) | Q(text__regex=spoken))


def deliveries(survey: Survey) -> QuerySet[Delivery]:
    """The messages to customers that left and asked it."""
    sent = Delivery.objects.filter(origin=Delivery.Origin.FLOW, state=DeliveryState.SENT)
    return sent.filter(template_version__in=versions(survey).values("pk"))


def templates(survey: Survey) -> QuerySet[Template]:
    """The messages that would ask it the next time they are sent."""
    return Template.objects.filter(current__in=versions(survey).values("pk")).order_by("name")


def rule(survey: Survey, choice_id: int | None = None) -> dict[str, Any]:
    """Who answered it, or answered so, as a rule."""
    params = {"survey": survey.slug} | ({"answer": str(choice_id)} if choice_id else {})
    return {"all": [{"kind": "campaigns.answered", "params": params}]}


def silent_rule(survey: Survey) -> dict[str, Any]:
    """Who was asked and has not answered, as a rule."""
    params = {"survey": survey.slug, "days": "365", "wait": "3"}
    return {"all": [{"kind": "campaigns.asked_no_answer", "params": params}]}
