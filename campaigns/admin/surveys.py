"""Surveys: the question and its answers, what people answered, and segments of those who answered so."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms.models import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from campaigns.models import Survey, SurveyAnswer, SurveyChoice
from campaigns.models.surveys import MOST_CHOICES
from campaigns.surveys import asking, counting, segments
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, TabularInline, UnfoldAdminTextInputWidget, display

CHANGE = "admin:campaigns_survey_change"


class SurveyForm(forms.ModelForm):
    """The question. Blank name: made from the question; it stays for good, since messages hold it."""

    slug = forms.CharField(
        label="Name in messages",
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What templates call it, such as why_not; blank: made from the question.",
    )

    class Meta:
        model = Survey
        fields = ["question", "slug", "thanks", "words_label"]

    def clean_slug(self) -> str:
        if not self.instance._state.adding:
            return self.instance.slug
        typed = (self.cleaned_data.get("slug") or "").strip()
        slug = typed or _name_of(self.cleaned_data.get("question", ""))
        if Survey.objects.filter(slug=slug).exists():
            if typed:
                raise forms.ValidationError(f"There is a survey called {slug} already: choose another name.")
            slug = _free(slug)
        return slug


PLACEHOLDERS = {"label": "Answer", "thanks": "Thank-you for it"}


class ChoiceForms(BaseInlineFormSet):
    """Two to eight different answers that are offered."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data.get("label")]
        offered = [
            form for form in kept if form.cleaned_data["is_offered"] and not form.cleaned_data.get("DELETE")
        ]
        if not 2 <= len(offered) <= MOST_CHOICES:
            raise forms.ValidationError(f"Offer 2 to {MOST_CHOICES} answers: here are {len(offered)}.")
        labels = [form.cleaned_data["label"].casefold() for form in offered]
        if len(set(labels)) < len(labels):
            raise forms.ValidationError("Two answers say the same: change one of them.")


class ChoiceInline(TabularInline):
    model = SurveyChoice
    formset = ChoiceForms
    fields = ["label", "thanks", "is_offered", "position"]
    ordering = ["position", "id"]
    ordering_field = "position"
    hide_ordering_field = True
    verbose_name = "answer"
    verbose_name_plural = "Answers to tap"
    extra = 3

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """On a telephone there is no room for the heads of columns: each field says what it is for."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in PLACEHOLDERS:
            words = PLACEHOLDERS[db_field.name]
            field.widget.attrs |= {"placeholder": words, "aria-label": words}
        elif field is not None and db_field.name == "is_offered":
            field.widget.attrs["aria-label"] = "Offered"
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Once somebody answered, answers stay: one that shall go is offered no longer."""
        answered = obj is not None and obj.answers.exists()
        return not answered and super().has_delete_permission(request, obj)


@admin.register(Survey)
class SurveyAdmin(ModelAdmin):
    form = SurveyForm
    list_display = ["question", "slug", "people", "created_at"]
    sortable_by = ["question", "created_at"]
    search_fields = ["question", "slug"]
    ordering = ["-created_at"]
    inlines = [ChoiceInline]
    list_before_template = "campaigns/surveys_intro.html"
    change_form_outer_before_template = "campaigns/survey_page.html"
    fieldsets = [(None, {"fields": ["question", "slug", "thanks", "words_label"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Survey]:
        counted = SurveyAnswer.objects.filter(
            survey=OuterRef("pk"), replaced_at=None, contact__is_test=False
        ).order_by()
        number = counted.values("survey").annotate(number=Count("pk")).values("number")
        return super().get_queryset(request).annotate(answered=Coalesce(Subquery(number), 0))

    def get_readonly_fields(self, request: HttpRequest, obj: Survey | None = None) -> list[str]:
        return ["slug"] if obj else []

    def get_urls(self) -> list[Any]:
        make = self.admin_site.admin_view(require_POST(self.segment))
        return [path("<int:pk>/segment/", make, name="campaigns_survey_segment"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        survey = self.get_object(request, object_id)
        if survey is not None and self.has_view_permission(request, survey):
            extra_context = (extra_context or {}) | _page(survey, request)
        return super().change_view(request, object_id, form_url, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was asked or answered is history."""
        used = obj is not None and (obj.answers.exists() or asking.versions(obj).exists())
        return not used and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        asked = [f"“{survey}”: a message asks it" for survey in objs if asking.versions(survey).exists()]
        return deleted, counts, needed, [*protected, *asked]

    def segment(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The people who answered so, who answered at all, or who were asked and did not."""
        survey = self.get_object(request, str(pk))
        if survey is None:
            raise Http404("There is no such survey.")
        if not self.has_view_permission(request, survey) or not request.user.has_perm("crm.add_segment"):
            raise PermissionDenied
        asked = request.POST.get("of", "")
        choice = next((one for one in survey.choices.all() if str(one.pk) == asked), None)
        if asked == "silent":
            made = segments.of_silent(survey, clock.now())
        elif asked == "all" or choice:
            made = segments.of_answer(survey, choice, clock.now())
        else:
            raise Http404("There is no such answer.")
        messages.success(request, f"“{made}” keeps itself up from now on: it can start a campaign, too.")
        return redirect("admin:crm_segment_change", made.pk)

    @display(description="Answers")
    def people(self, survey: Any) -> str:
        return f"{survey.answered:,}"


def _page(survey: Survey, request: HttpRequest) -> dict[str, Any]:
    shows_people = request.user.has_perm("crm.view_contact")
    return {
        "counts": counting.counts(survey),
        "written": counting.latest_words(survey) if shows_people else None,
        "templates": list(asking.templates(survey)[:20]),
        "may_segment": request.user.has_perm("crm.add_segment"),
    }


def _name_of(question: str) -> str:
    plain = unicodedata.normalize("NFKD", question).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return (words if words[:1].isalpha() else f"survey_{words}".rstrip("_"))[:30].rstrip("_")


def _free(slug: str) -> str:
    taken = set(Survey.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(name for number in range(2, 10_000) if (name := f"{slug}_{number}") not in taken)
