"""What is kept of one person: given out as one file, or erased, for a request of theirs or without one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from crm.access import fresh, passwords, reach
from crm.kernel import clock
from crm.kernel.elsewhere import to_do
from crm.kernel.keeping import in_order
from crm.kernel.requests import CannotDo
from crm.models import Contact, DataRequest, PersonRequest
from crm.people import erasing, exporting, requests
from crm.people.persons import person

MAY = requests.MAY


def page(model_admin: Any, request: HttpRequest, pk: UUID) -> Any:
    """What is kept, how much of it, and the file of it."""
    contact = _contact(request, pk)
    back = reverse("admin:crm_contact_change", args=[pk])
    what, now = "to see or give out all that we keep of somebody", clock.now()
    if typed := fresh.password_page(request, what, now, back=back):
        return typed
    asked = asked_for(request, contact, "file")
    if isinstance(asked, HttpResponse):
        return asked
    if request.method == "POST":
        by = request.user.get_username()
        with transaction.atomic():
            file = exporting.export(pk, now, by=by, reference=request.POST.get("reference", ""))
            if asked is not None:
                requests.did(asked.pk, "file", now, by=by)
        answer = FileResponse(file, as_attachment=True, filename=f"person-{now:%Y-%m-%d}.zip")
        answer["Cache-Control"] = "no-store"
        return answer
    return render(request, "crm/person_data.html", _context(model_admin, request, contact, asked))


def erase(model_admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    """The second step: what goes and what stays, confirmed by their name and one's own password."""
    contact = _contact(request, pk)
    asked = asked_for(request, contact, "erase")
    if isinstance(asked, HttpResponse):
        return asked
    problems, status = {}, 400
    if request.method == "POST":
        try:
            passwords.check(request.user, request.POST.get("password", ""), clock.now())
        except passwords.Wrong as wrong:
            problems["password"] = str(wrong)
            status = 429 if isinstance(wrong, passwords.TooOften) else 400
        if " ".join(request.POST.get("name", "").split()) != " ".join(str(contact).split()):
            problems["name"] = f"Type {contact}, as it stands above."
        if not problems:
            return _erase(request, contact, asked)
    context = _context(model_admin, request, contact, asked) | {"problems": problems}
    return render(request, "crm/erase_page.html", context, status=status if problems else 200)


def asked_for(request: HttpRequest, contact: Contact, step: str) -> PersonRequest | HttpResponse | None:
    """The request of theirs that the address names, for which this step is to be done; or the way back to
    its page, where it cannot be done yet.
    """
    named = request.GET.get("request", "")
    if not named:
        return None
    try:
        asked = requests.asked_by(UUID(named), contact.pk, step, clock.now())
    except CannotDo as problem:
        messages.error(request, str(problem))
        return redirect("admin:crm_personrequest_change", named)
    except ValueError:
        asked = None
    if asked is None:
        raise Http404("There is no such request of theirs to answer.")
    return asked


def _erase(request: HttpRequest, contact: Contact, asked: PersonRequest | None) -> HttpResponse:
    systems = [one.system for one in to_do(person(contact.pk))]
    try:
        erasing.erase(
            contact.pk,
            clock.now(),
            by=request.user.get_username(),
            reference=request.POST.get("reference", ""),
        )
    except erasing.CannotErase as problem:
        messages.error(request, str(problem))
    else:
        # Not by name: the message would keep it.
        messages.success(request, "The person is erased. Their addresses are never written to again.")
        messages.warning(request, f"Still to be done by hand, as the page before said: {'; '.join(systems)}.")
    if asked is not None:
        return redirect("admin:crm_personrequest_change", asked.pk)
    return redirect("admin:crm_contact_changelist")


def _contact(request: HttpRequest, pk: UUID) -> Contact:
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    return reach.person(pk)


def _context(
    model_admin: Any, request: HttpRequest, contact: Contact, asked: PersonRequest | None
) -> dict[str, Any]:
    who = person(contact.pk)
    counts = [(kept.label, kept.rows(who).count()) for kept in in_order()]
    context: dict[str, Any] = model_admin.admin_site.each_context(request)
    return context | {
        "title": f"What we keep of {contact}",
        "opts": model_admin.model._meta,
        "original": contact,
        "counts": [(label, count) for label, count in counts if count],
        "elsewhere": to_do(who),
        "done": DataRequest.objects.filter(contact=contact).order_by("-done_at")[:20],
        "requests": contact.requests.order_by(F("ended_at").desc(nulls_first=True), "due_at")[:20],
        "asked": asked,
        "reference": request.POST.get("reference", _reference(asked)),
    }


def _reference(asked: PersonRequest | None) -> str:
    """Which request it answers, in words that name nobody."""
    if asked is None:
        return ""
    return f"{asked.kind_label}, received on {timezone.localtime(asked.received_at):%-d %B %Y}"
