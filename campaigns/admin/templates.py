"""Templates: the message beside its preview as a real person, its mistakes by line, every save a version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.admin import frames, trials
from campaigns.flows import trying
from campaigns.messages import compiling, editing, mjml, rendering, variables
from campaigns.models import Template, TemplateVersion
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display, dress
from crm.models import Contact

PARTS = ("subject", "preheader", "mjml", "text")


class Written(forms.CharField):
    """What was typed, with the line ends that the compiler knows; browsers send others."""

    def to_python(self, value: Any) -> Any:
        return one_kind_of_lines(super().to_python(value) or "")


def one_kind_of_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class TemplateForm(forms.ModelForm):
    """A template and the words of its newest version."""

    subject = forms.CharField(max_length=300, help_text=TemplateVersion._meta.get_field("subject").help_text)
    preheader = forms.CharField(
        max_length=300, required=False, help_text=TemplateVersion._meta.get_field("preheader").help_text
    )
    mjml = Written(
        label="Message (MJML with Liquid)",
        widget=forms.Textarea(attrs={"rows": 26, "class": "rk-code", "spellcheck": "false"}),
    )
    text = Written(
        label="Plain text",
        required=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "rk-code", "spellcheck": "false"}),
        help_text="Blank: made from the message.",
    )

    class Meta:
        model = Template
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = self.instance.current if self.instance.pk else None
        if version:
            for name in PARTS:
                self.fields[name].initial = getattr(version, name)
        dress(self, PARTS)

    def clean(self) -> dict[str, Any]:
        """Mistakes are named with their field and line, and nothing typed is lost."""
        cleaned = super().clean() or self.cleaned_data
        if not any(name in self.errors for name in PARTS):
            for mistake in editing.problems(**{name: cleaned.get(name, "") for name in PARTS}):
                self.add_error(mistake.field, f"Line {mistake.line}: {mistake.message}")
        return cleaned


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    form = TemplateForm
    list_display = ["name", "subject", "version", "written_at"]
    sortable_by = ["name"]
    search_fields = ["name"]
    ordering = ["name"]
    list_select_related = ["current"]
    change_form_outer_after_template = "campaigns/template_page.html"
    fieldsets = [(None, {"fields": ["name", *PARTS]})]

    class Media:
        js = ["rekindle/preview.js"]

    def get_urls(self) -> list[Any]:
        wrap, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        return [
            path("<int:pk>/preview/", wrap(both(self.preview)), name="campaigns_template_preview"),
            path("<int:pk>/test/", wrap(require_POST(self.test)), name="campaigns_template_test"),
            *super().get_urls(),
        ]

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """For a sandboxed frame: a version, or what was typed and not saved yet, as one contact would get it.

        What is posted is shown and forgotten.
        """
        template = self.get_object(request, str(pk))
        if template is None:
            raise Http404
        if not self.has_view_permission(request, template):
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else request.GET
        contact = trials.chosen(asked.get("as", "")) or _somebody()
        try:
            shown = rendering.preview(
                _version(template, asked, request.method == "POST"), contact, clock.now()
            )
        except _Mistaken as mistaken:
            return frames.framed(mistaken.page())
        except (compiling.BrokenTemplate, compiling.RenderFailed, compiling.NotPlain) as error:
            return frames.framed(_Mistaken([str(error)]).page())
        return frames.plain(shown.text) if asked.get("part") == "text" else frames.framed(shown.html)

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Really send the saved message to a colleague, as one contact would get it."""
        template = self.get_object(request, str(pk))
        if template is None:
            raise Http404
        if not self.has_change_permission(request, template):
            raise PermissionDenied
        contact, to = trials.chosen(request.POST.get("as", "")), trials.where_to(request)
        if contact is None:
            messages.error(request, "Whose message? Type the whole e-mail address of a contact.")
        elif problem := trials.wrong_address(to):
            messages.error(request, problem)
        else:
            try:
                trying.send_template_test(template, to, contact, request.user.get_username(), clock.now())
                trials.told(request, 1, to)
            except trying.CannotTry as error:
                messages.error(request, str(error))
        return redirect("admin:campaigns_template_change", pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        template = self.get_object(request, object_id)
        if template is not None and self.has_view_permission(request, template):
            extra_context = (extra_context or {}) | _page(template, request)
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        parts = {name: form.cleaned_data[name] for name in PARTS}
        editing.save_version(obj, **parts, by=request.user, now=clock.now())

    def response_add(
        self, request: HttpRequest, obj: Template, post_url_continue: Any = None
    ) -> HttpResponse:
        # Whoever has just written a message wants to see it.
        if "_popup" not in request.POST and "_addanother" not in request.POST:
            self.message_user(request, f"{obj} is saved.", messages.SUCCESS)
            return redirect("admin:campaigns_template_change", obj.pk)
        return super().response_add(request, obj, post_url_continue)

    @display(description="Subject")
    def subject(self, template: Template) -> str:
        return template.current.subject if template.current else ""

    @display(description="Version")
    def version(self, template: Template) -> str:
        return f"v{template.current.number}" if template.current else "none yet"

    @display(description="Written")
    def written_at(self, template: Template) -> Any:
        return template.current.created_at if template.current else None


class _Mistaken(Exception):
    """What was typed cannot be shown; says why, as a page for the frame."""

    def __init__(self, found: list[str]) -> None:
        super().__init__("; ".join(found))
        self.found = found

    def page(self) -> str:
        rows = format_html_join("", "<li>{}</li>", ((words,) for words in self.found))
        style = "font:15px/1.5 system-ui,sans-serif;padding:1rem;color:#8a1c12;background:#fff"
        start = '<!doctype html><meta charset="utf-8"><title>Mistakes</title>'
        return format_html(
            start + '<div style="{}"><b>This cannot be shown yet</b><ul>{}</ul></div>', style, rows
        )


def _version(template: Template, asked: Any, typed: bool) -> TemplateVersion:
    """The version to show: a stored one, or one made of what was typed and never saved."""
    if not typed:
        number = asked.get("version", "")
        stored = template.versions.filter(number=int(number)).first() if _is_number(number) else None
        version = stored or template.current
        if version is None:
            raise _Mistaken(["Nothing is written yet."])
        return version
    parts = {name: one_kind_of_lines(asked.get(name, "")) for name in PARTS}
    if found := editing.problems(**parts):
        raise _Mistaken([f"{mistake.field}, line {mistake.line}: {mistake.message}" for mistake in found])
    return TemplateVersion(template=template, html=mjml.compile_html(parts["mjml"]), **parts)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6


def _page(template: Template, request: HttpRequest) -> dict[str, Any]:
    contact = trials.chosen(request.GET.get("as", "")) or _somebody()
    return {
        "contact": contact,
        "versions": template.versions.select_related("created_by")
        .defer("mjml", "html", "text")
        .order_by("-number")[:20],
        "variables": list(variables.catalogue()),
    }


def _somebody() -> Contact | None:
    """The contact to preview as where nobody was named: one with an open cart, else the newest."""
    contacts = Contact.objects.filter(merged_into=None).exclude(email="")
    with_cart = contacts.filter(carts__state="open", carts__has_priced_line=True)
    return with_cart.order_by("-carts__changed_at").first() or contacts.order_by("-created_at", "-id").first()
