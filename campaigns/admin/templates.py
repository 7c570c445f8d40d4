"""Templates: the message beside its preview as a real person, its mistakes by line, every save a version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns.admin import block_rows, template_preview, template_versions, template_visual, trials
from campaigns.admin.template_form import LINES, BlocksForm, Mode, SourceForm
from campaigns.flows import trying
from campaigns.messages import editing, kinds, palette, saved
from campaigns.models import Template
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display
from crm.kernel.kinds import UnknownKind

MADE_OF: dict[str, str] = {Mode.BLOCKS: "blocks", Mode.VISUAL: "drawn", Mode.SOURCE: "MJML"}


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    list_display = ["name", "subject", "version", "mode", "written_at"]
    sortable_by = ["name"]
    search_fields = ["name"]
    ordering = ["name"]
    list_select_related = ["current"]
    change_form_outer_before_template = "campaigns/template_head.html"
    change_form_after_template = "campaigns/template_palette.html"
    change_form_outer_after_template = "campaigns/template_page.html"

    @property
    def media(self) -> Any:
        """What any block's fields need, too, for any block may be added."""
        whole = super().media + forms.Media(js=["rekindle/preview.js", "rekindle/palette.js"])
        for kind in kinds.blocks:
            whole += kind.form().media
        return whole

    def get_urls(self) -> list[Any]:
        wrap, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        own = {
            "<int:pk>/preview/": ("preview", both(self.preview)),
            "preview/": ("new_preview", require_POST(self.new_preview)),
            "people/": ("people", require_GET(self.people)),
            "block/": ("block", require_POST(self.block)),
            "<int:pk>/test/": ("test", require_POST(self.test)),
            "<int:pk>/visual/": ("visual", both(self.visual)),
            "<int:pk>/compare/": ("compare", require_GET(self.compare)),
            "<int:pk>/again/": ("again", require_POST(self.again)),
            "<int:pk>/copy/": ("copy", require_POST(self.copy)),
        }
        return [
            *(
                path(route, wrap(view), name=f"campaigns_template_{name}")
                for route, (name, view) in own.items()
            ),
            *super().get_urls(),
        ]

    # The form

    def mode_of(self, request: HttpRequest, template: Template | None) -> str:
        """Which way of editing the page is for: the one posted or asked for, else the newest version's."""
        if request.method == "POST":
            return Mode.SOURCE if "mjml" in request.POST else Mode.BLOCKS
        current = template.current if template else None
        own = current.mode if current else Mode.BLOCKS
        return Mode.SOURCE if own == Mode.VISUAL or request.GET.get("mode") == Mode.SOURCE else own

    def get_form(
        self, request: HttpRequest, obj: Template | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        is_source = self.mode_of(request, obj) == Mode.SOURCE
        return super().get_form(
            request, obj, change, **kwargs | {"form": SourceForm if is_source else BlocksForm}
        )

    def get_fieldsets(self, request: HttpRequest, obj: Template | None = None) -> Any:
        is_source = self.mode_of(request, obj) == Mode.SOURCE
        message = ["mjml", "text"] if is_source else ["blocks"]
        return [(None, {"fields": ["name", *LINES, *message]})]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        template = self.get_object(request, object_id) if object_id else None
        if template is None or self.has_view_permission(request, template):
            extra_context = (extra_context or {}) | self._page(request, template)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _page(self, request: HttpRequest, template: Template | None) -> dict[str, Any]:
        current = template.current if template else None
        asked = request.POST if request.method == "POST" else request.GET
        contact = template_preview.whose(asked.get("as", ""), request.user)
        return {
            "contact": contact,
            "typed_as": trials.typed_as(contact),
            "asked_as": asked.get("as", ""),
            "versions": template.versions.select_related("created_by")
            .defer("mjml", "html", "text", "blocks")
            .order_by("-number")[:50]
            if template
            else [],
            "mode": self.mode_of(request, template),
            "own_mode": current.mode if current else "",
            "palette": palette.groups(),
            "subjects": [(line, palette.read_out(line)) for line in palette.subjects()],
            "may_see_people": request.user.has_perm("crm.view_contact"),
        }

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        editing.save_version(obj, **form.parts(), by=request.user, now=clock.now())

    def response_add(
        self, request: HttpRequest, obj: Template, post_url_continue: Any = None
    ) -> HttpResponse:
        # Whoever has just written a message wants to see it.
        if "_popup" not in request.POST and "_addanother" not in request.POST:
            self.message_user(request, f"{obj} is saved.", messages.SUCCESS)
            return redirect("admin:campaigns_template_change", obj.pk)
        return super().response_add(request, obj, post_url_continue)

    # What stands beside it

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """For a sandboxed frame: a version, or what was typed and not saved yet, as one contact would get it.

        What is posted is shown and forgotten.
        """
        template = self._one(request, pk, self.has_view_permission)
        typed = request.POST if request.method == "POST" else None
        asked = request.GET if typed is None else typed
        return template_preview.page(template, asked, typed, request.user, clock.now())

    def new_preview(self, request: HttpRequest) -> HttpResponse:
        """The same for a template that was never saved."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return template_preview.page(None, request.POST, request.POST, request.user, clock.now())

    def people(self, request: HttpRequest) -> JsonResponse:
        """Whom the preview can be of: by how a name or address begins, or the next after one."""
        if not self.has_view_permission(request) or not request.user.has_perm("crm.view_contact"):
            raise PermissionDenied
        if "after" in request.GET:
            person = template_preview.following(request.GET["after"], request.user)
            people = [person] if person else []
        else:
            people = template_preview.found(request.GET.get("q", "")[:200], request.user)
        return JsonResponse({"people": [{"name": str(one), "email": trials.typed_as(one)} for one in people]})

    def block(self, request: HttpRequest) -> HttpResponse:
        """A new row for the script: of a kind (`kind`), like one that is posted (`of`), or a `saved` one."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        like = next(
            (row for row in block_rows.posted(request.POST) if row.id == request.POST.get("of")), None
        )
        stored = like.stored if like else saved.saved_block(request.POST.get("saved", ""))
        key = stored["kind"] if stored else request.POST.get("kind", "")
        if key not in kinds.blocks:
            raise Http404
        row = block_rows.made(kinds.blocks.get(key), stored["params"] if stored else None)
        return HttpResponse(block_rows.drawn(row), headers={"Cache-Control": "no-store"})

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Really send the saved message to a colleague, as one contact would get it."""
        template = self._one(request, pk, self.has_change_permission)
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

    def visual(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page on which the message is drawn."""
        template = self._one(request, pk, self.has_change_permission)
        return template_visual.page(self, request, template)

    def compare(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What changed from one version to another, by line."""
        template = self._one(request, pk, self.has_view_permission)
        newer = template_preview.numbered(template, request.GET.get("to", "")) or template.current
        if newer is None:
            raise Http404
        older = template_preview.numbered(template, request.GET.get("from", ""))
        older = older or template.versions.filter(number__lt=newer.number).order_by("-number").first()
        context = self.admin_site.each_context(request) | {
            "title": f"{template}: what changed",
            "opts": self.opts,
            "template": template,
            "older": older,
            "newer": newer,
            "parts": template_versions.compared(older, newer) if older else [],
            "numbers": template.versions.order_by("-number").values_list("number", flat=True)[:200],
            "may_change": self.has_change_permission(request, template),
        }
        return render(request, "campaigns/template_compare.html", context)

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin again from an old version: a new one that says the same."""
        template = self._one(request, pk, self.has_change_permission)
        version = template_preview.numbered(template, request.POST.get("version", ""))
        if version is None:
            raise Http404
        try:
            made = template_versions.again(template, version, request.user, clock.now())
            messages.success(request, f"Version {made.number} says what version {version.number} said.")
        except (ValueError, UnknownKind) as error:
            messages.error(request, f"Version {version.number} cannot be used as it is any more: {error}")
        return redirect("admin:campaigns_template_change", pk)

    def copy(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The same template once more, under another name."""
        template = self._one(request, pk, self.has_view_permission)
        if not self.has_add_permission(request):
            raise PermissionDenied
        made = template_versions.copied(template, request.user, clock.now())
        messages.success(request, f"“{made}” is a copy of “{template}”. Give it a name of its own.")
        return redirect("admin:campaigns_template_change", made.pk)

    def _one(self, request: HttpRequest, pk: int, is_allowed: Any) -> Template:
        template = self.get_object(request, str(pk))
        if template is None:
            raise Http404
        if not is_allowed(request, template):
            raise PermissionDenied
        return template

    # The list

    @display(description="Subject, for example")
    def subject(self, template: Template) -> str:
        return palette.read_out(template.current.subject) if template.current else ""

    @display(description="Version")
    def version(self, template: Template) -> str:
        return f"v{template.current.number}" if template.current else "none yet"

    @display(description="Made of")
    def mode(self, template: Template) -> str:
        return MADE_OF[template.current.mode] if template.current else ""

    @display(description="Written")
    def written_at(self, template: Template) -> Any:
        return template.current.created_at if template.current else None
