"""The page on which a message is drawn: GrapesJS with the components of MJML and our own blocks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from campaigns.admin import block_rows
from campaigns.admin.template_form import Mode, look
from campaigns.messages import editing, palette
from campaigns.models import Template
from crm.kernel import clock


def page(model_admin: Any, request: HttpRequest, template: Template) -> HttpResponse:
    """Show the newest version to be drawn on; save what was drawn, through the same checks as ever."""
    current = template.current
    if current is None:
        model_admin.message_user(request, "Save the template once, then it can be drawn on.")
        return redirect("admin:campaigns_template_change", template.pk)
    if request.method == "POST":
        return _saved(request, template)
    context = model_admin.admin_site.each_context(request) | {
        "title": f"{template}: draw on the page",
        "opts": model_admin.opts,
        "template": template,
        "current": current,
        "drawing": {
            "mjml": current.mjml,
            "pieces": list(_pieces()),
            "pictures": reverse("admin:campaigns_image_choose"),
        },
        "palette": palette.groups(),
        "ends_blocks": current.mode == Mode.BLOCKS,
    }
    return render(request, "campaigns/template_visual.html", context)


def _saved(request: HttpRequest, template: Template) -> JsonResponse:
    current = template.current
    assert current is not None
    mjml = block_rows.one_kind_of_lines(request.POST.get("mjml", ""))
    parts = {"subject": current.subject, "preheader": current.preheader, "mjml": mjml, "text": ""}
    if found := editing.problems(**parts):
        mistakes = [f"{one.field.capitalize()}, line {one.line}: {one.message}" for one in found]
        return JsonResponse({"mistakes": mistakes}, status=422)
    version = editing.save_version(template, **parts, mode=Mode.VISUAL, by=request.user, now=clock.now())
    back = reverse("admin:campaigns_template_change", args=[template.pk])
    return JsonResponse({"version": version.number, "back": back})


def _pieces() -> Any:
    """Every block as MJML to be put in; what has to be filled in first is for the blocks form."""
    for kind in block_rows.menu():
        params = kind.shown()
        if params is not None:
            yield {
                "key": kind.key,
                "label": kind.label,
                "icon": kind.icon,
                "mjml": kind.mjml(kind.read(params), look()),
            }
