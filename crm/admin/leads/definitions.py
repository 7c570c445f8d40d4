"""Lead definitions: what a lead is for this shop, its stages, its wordings one after another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from crm.admin.leads import picture
from crm.audience.leads import definitions
from crm.kernel import clock, rules
from crm.kernel.backoffice import ModelAdmin, StackedInline, UnfoldAdminCheckboxSelectMultipleWidget, display
from crm.models import Lead, LeadDefinition, LeadVersion, Purpose, Stage, StageMove

MOST_VERSIONS = 20


def _purposes_of_marketing() -> list[tuple[int, str]]:
    rows = Purpose.objects.filter(kind=Purpose.Kind.MARKETING).order_by("name")
    return list(rows.values_list("pk", "name"))


class StageForms(forms.BaseInlineFormSet):
    """A stage somebody was ever at stays: taking it away would take their past away."""

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            stage = form.instance
            was_there = Lead.objects.filter(stage=stage), StageMove.objects.filter(to_stage=stage)
            if any(rows.exists() for rows in was_there):
                raise forms.ValidationError(
                    f"People were at “{stage}”, so it stays: rename it, or take its rule away."
                )


class StageForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stage = self.instance
        if not stage._state.adding:
            # What the theme writes above the fields of a row.
            there = f"{stage.there:,} {'person' if stage.there == 1 else 'people'} there now"
            stage.get_inline_title = lambda: f"{stage.name}: {there}"


class StageInline(StackedInline):
    model = Stage
    form = StageForm
    formset = StageForms
    ordering = ["position", "name"]
    ordering_field = "position"
    fields = [("name", "meaning"), "limit_days", "rule", "position"]
    verbose_name_plural = "Stages"
    collapsible = True

    class Media:
        js = ["rekindle/rows.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stage]:
        there = Lead.objects.filter(stage=OuterRef("pk"), ended_at=None).order_by().values("stage")
        counted = there.annotate(number=Count("pk")).values("number")
        return super().get_queryset(request).annotate(there=Coalesce(Subquery(counted), 0))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "rule":
            field.label = "Who belongs here by rule"
            field.help_text = (
                "Blank: moved here by hand alone. Stages that mean “is a lead”, “is nurtured” and “ready for"
                " sales” follow the wording instead."
            )
        return field


@admin.register(LeadDefinition)
class LeadDefinitionAdmin(ModelAdmin):
    list_display = ["name", "in_words", "version", "people", "ready", "state"]
    sortable_by = ["name"]
    search_fields = ["name"]
    ordering = ["-is_active", "name"]
    fields = [
        "name",
        "description",
        ("is_active", "owner_by_default"),
        ("rest_days", "rest_ends_accepted"),
        "rest_spares",
    ]
    inlines = [StageInline]
    change_form_outer_before_template = "crm/lead_definition_page.html"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "rest_spares":
            return forms.TypedMultipleChoiceField(
                coerce=int,
                choices=_purposes_of_marketing,
                label=db_field.verbose_name.capitalize(),
                required=False,
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
                help_text=db_field.help_text,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LeadDefinition]:
        published = LeadVersion.objects.filter(definition=OuterRef("pk")).exclude(published_at=None)
        newest = published.order_by("-number")
        now = Lead.objects.filter(definition=OuterRef("pk"), ended_at=None).order_by().values("definition")
        counted = now.annotate(number=Count("pk")).values("number")
        ready = counted.filter(stage__meaning=Stage.Meaning.SALES_READY)
        return (
            super()
            .get_queryset(request)
            .annotate(
                counts=Subquery(newest.values("number")[:1]),
                wording=Subquery(newest.values("is_lead")[:1]),
                people_now=Coalesce(Subquery(counted), 0),
                ready_now=Coalesce(Subquery(ready), 0),
            )
        )

    def get_inlines(self, request: HttpRequest, obj: LeadDefinition | None) -> Any:
        return self.inlines if obj else []

    def get_urls(self) -> list[Any]:
        word = self.admin_site.admin_view(require_POST(self.word))
        return [path("<uuid:pk>/word/", word, name="crm_leaddefinition_word"), *super().get_urls()]

    def word(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """To the draft of the next wording; it begins as a copy of the one that counts."""
        definition = self.get_object(request, str(pk))
        if definition is None:
            raise Http404("There is no such definition.")
        if not self.has_change_permission(request, definition) or not request.user.has_perm(
            "crm.change_leadversion"
        ):
            raise PermissionDenied
        return redirect("admin:crm_leadversion_change", definitions.draft_of(definition, clock.now()).pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        definition = self.get_object(request, object_id)
        if definition is not None and self.has_view_permission(request, definition):
            extra_context = (extra_context or {}) | _page(definition)
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: LeadDefinition, form: Any, change: bool) -> None:
        if not change:
            made = definitions.new_definition(obj.name, clock.now(), request.user.get_username())
            obj.pk, obj._state.adding = made.pk, False
        super().save_model(request, obj, form, True)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.has_changed():
            definitions.ask_anew(form.instance)

    def response_add(
        self, request: HttpRequest, obj: LeadDefinition, post_url_continue: Any = None
    ) -> HttpResponse:
        if "_popup" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, f"“{obj}” has its stages. Now say who is a lead, and publish it.")
        return redirect("admin:crm_leadversion_change", definitions.draft_of(obj, clock.now()).pk)

    @display(description="Who is a lead")
    def in_words(self, definition: Any) -> str:
        if definition.counts is None:
            return "Nobody yet: no wording is published."
        return rules.sentence(definition.wording)

    @display(description="Version")
    def version(self, definition: Any) -> str:
        return str(definition.counts or "none")

    @display(description="Leads now")
    def people(self, definition: Any) -> str:
        return f"{definition.people_now:,}"

    @display(description="Sales-ready now")
    def ready(self, definition: Any) -> str:
        return f"{definition.ready_now:,}"

    @display(
        description="State", label={"well": "success", "broken": "danger", "off": "info", "draft": "warning"}
    )
    def state(self, definition: Any) -> tuple[str, str]:
        if definition.problem:
            return "broken", f"broken: {definition.problem}"
        if definition.counts is None:
            return "draft", "not published"
        return ("well", "active") if definition.is_active else ("off", "off")


def _page(definition: Any) -> dict[str, Any]:
    """What stands above the form: how many stand where, how scores are spread, every wording there was."""
    versions = list(definition.versions.prefetch_related("score_lines").order_by("-number")[:MOST_VERSIONS])
    published = next((version for version in versions if version.published_at), None)
    return {
        "definition": definition,
        "published": published,
        "draft": next((version for version in versions if version.published_at is None), None),
        "versions": [picture.wording(version) for version in versions if version.published_at],
        "stages": picture.stages(definition),
        "spread": picture.spread(definition),
    }
