"""One question, and its answers to tap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import fill
from campaigns.models import Survey


@blocks.register
class AskSurvey(Block):
    """The question of a survey and its answers, each a link that opens a page with that answer chosen. The
    page's button answers: mail scanners follow links and would answer everything.
    """

    key = "campaigns.survey"
    label = "Survey"
    icon = "quiz"
    help = "One question with answers to tap."
    place = 60

    class Params(forms.Form):
        survey = forms.ModelChoiceField(
            Survey.objects.order_by("question"),
            to_field_name="slug",
            help_text="Surveys are written under What we say, Surveys.",
        )

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        return fill("blocks/survey.mjml", look, slug=params["survey"].slug)

    def summary(self, params: Mapping[str, Any]) -> str:
        """The question itself."""
        return str(Survey.objects.filter(slug=params.get("survey", "")).first() or "")

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/survey.txt", slug=params["survey"].slug)
