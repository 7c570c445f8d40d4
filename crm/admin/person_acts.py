"""What a colleague can do about a person, above their page: each act a button that opens its own form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from crm.access import reach
from crm.kernel import clock
from crm.kernel.backoffice import dress
from crm.kernel.kinds import UnknownKind
from crm.kernel.person_acts import CannotAct, person_acts
from crm.people import pausing


def act(model_admin: Any, request: HttpRequest, pk: UUID, key: str) -> HttpResponse:
    """Do what was posted; where the form is not right it is shown again, with what was typed. The button on
    the person's page asks for the empty form alone when it is pressed.
    """
    try:
        kind = person_acts.get(key)
    except UnknownKind:
        raise Http404("There is nothing of this name to do.") from None
    if not request.user.has_perm(kind.permission):
        raise PermissionDenied
    contact = reach.person(pk)
    now = clock.now()
    form: forms.Form = kind.filled_in(pk, request.user, now, request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            messages.success(request, kind.do(pk, form.cleaned_data, request.user, now))
            return redirect("admin:crm_contact_change", pk)
        except CannotAct as problem:
            form.add_error(None, str(problem))
    context = {"original": contact, "act": kind, "form": dress(form)}
    if request.headers.get("HX-Request"):
        for field in form.visible_fields()[:1]:
            field.field.widget.attrs["autofocus"] = True
        return render(request, "crm/person_act_form.html", context)
    context |= model_admin.admin_site.each_context(request) | {
        "title": f"{kind.label}: {contact}",
        "opts": model_admin.model._meta,
    }
    return render(request, "crm/person_act_page.html", context, status=400 if form.errors else 200)


def resume(model_admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    """Marketing may go to them again."""
    if not request.user.has_perm("crm.change_contact"):
        raise PermissionDenied
    contact = reach.person(pk)
    if pausing.resume(pk, clock.now(), by=request.user.get_username()):
        messages.success(request, f"{contact} gets marketing again, as far as they agreed to it.")
    else:
        messages.warning(request, f"There was no pause for {contact} any more.")
    return redirect("admin:crm_contact_change", pk)
