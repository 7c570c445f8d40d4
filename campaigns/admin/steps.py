"""The steps of a campaign, edited in place until people may walk them, then to be read."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from campaigns.admin import picture, variant_rows
from campaigns.flows import launching, variants
from campaigns.flows.kinds import steps
from campaigns.models import Campaign, Step
from crm.kernel import clock
from crm.kernel.backoffice import NonrelatedStackedInline, display, dress
from crm.kernel.kindforms import fields_of, kind_form


class StepForm(forms.ModelForm):
    position = forms.IntegerField(
        required=False, min_value=0, max_value=999, help_text="Drag the step, or type its place. Blank: last."
    )
    variants = variant_rows.VariantsField(
        label="Messages compared",
        required=False,
        help_text="Each person gets one of them, always the same. The campaign’s page counts what each did.",
    )

    class Meta:
        model = Step
        fields = ["kind", "template", "offer", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self, {"position"})
        if self.instance.pk:
            self.initial["variants"] = variant_rows.initial(self.instance)
            # What the theme writes above the fields of a row.
            self.instance.get_inline_title = lambda: picture.of_step(self.instance).words

    def clean_position(self) -> int:
        return self.cleaned_data["position"] or 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("variants"):
            cleaned["template"] = None
        return cleaned

    def keep_variants(self) -> None:
        """After the step is saved: the messages it compares."""
        kind = steps.get(self.instance.kind)
        variants.keep(self.instance, self.cleaned_data["variants"] if kind.has_template else [])


class StepInline(NonrelatedStackedInline):
    model = Step
    ordering = ["position"]
    ordering_field = "position"
    verbose_name_plural = "Steps"
    readonly_fields = ["words"]

    def get_formset(self, request: HttpRequest, obj: Campaign | None = None, **kwargs: Any) -> Any:
        kwargs["form"] = kind_form(
            StepForm, "kind", "params", steps, {"template": _sends, "variants": _sends, "offer": _gives}
        )
        return super().get_formset(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ["words", "template", "offer"]})]
        sends = ["template", "variants", "offer"]
        return [(None, {"fields": ["kind", *sends, *fields_of("kind", steps), "position"]})]

    def get_form_queryset(self, obj: Campaign) -> QuerySet[Step]:
        version = launching.newest_version(obj)
        return (
            Step.objects.filter(version=version)
            .select_related("template", "offer")
            .prefetch_related("variants__template")
            .order_by("position", "id")
        )

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return bool(super().has_add_permission(request, obj) and not is_frozen(obj))

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_change_permission(request, obj) and not is_frozen(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not is_frozen(obj)

    def save_new_instance(self, parent: Campaign, instance: Step) -> None:
        version = launching.editable_version(parent, clock.now())
        instance.version = version
        instance.key = launching.new_step_key(version, instance.kind)
        instance.position = instance.position or version.steps.count() + 1

    @display(description="What happens")
    def words(self, step: Step) -> str:
        return picture.of_step(step).words


def _sends(kind: Any) -> bool:
    return bool(kind.has_template)


def _gives(kind: Any) -> bool:
    return bool(kind.has_offer)


def is_frozen(campaign: Campaign | None) -> bool:
    """Whether people may already walk the steps that are shown."""
    version = launching.newest_version(campaign) if campaign else None
    return version is not None and version.frozen_at is not None
