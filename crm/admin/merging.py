"""Two people side by side, made one by a button, and two again by another."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from crm import likeness
from crm.access import reach
from crm.kernel import clock, masking
from crm.kernel.backoffice import ReadOnlyAdmin, display
from crm.models import ConsentState, Contact, MergeProposal, OwnField
from crm.people import merging, own_fields
from crm.shop.settings import this_shop
from crm.shop.showing import money

MAY = "crm.merge_contacts"
MOST_FOUND = 10


def page(model_admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    """Find who else a person is, see both side by side, and make them one."""
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    contact = reach.person(pk)
    if request.method == "POST":
        return _merge(request, contact)
    other = _chosen(request.GET.get("with", ""), contact)
    typed = request.GET.get("find", "").strip()
    found: list[Contact] = []
    if typed and other is None:
        known = model_admin.get_queryset(request).exclude(pk=pk)
        found = list(model_admin.get_search_results(request, known, typed)[0][:MOST_FOUND])
    context = model_admin.admin_site.each_context(request) | {
        "title": f"Merge {contact}",
        "opts": model_admin.model._meta,
        "original": contact,
        "other": other,
        "typed": typed,
        "found": found,
        "pair": [contact, other],
        "proposal": _proposal(contact, other) if other else None,
        "lines": _side_by_side(contact, other) if other else [],
        "stays": contact if other is None or _weight(contact) >= _weight(other) else other,
    }
    return render(request, "crm/merge_page.html", context)


def undo(model_admin: Any, request: HttpRequest, pk: UUID, merging_id: str) -> HttpResponse:
    """Make them two again."""
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    contact = reach.person(pk)
    key = _uuid(merging_id)
    made = contact.mergings.filter(pk=key).first() if key else None
    if made is None:
        raise Http404("There is no such merging.")
    try:
        other = merging.undo(made.pk, clock.now(), by=request.user.get_username())
        messages.success(request, f"{contact} and {other} are two people again.")
    except merging.CannotMerge as problem:
        messages.error(request, str(problem))
    return redirect("admin:crm_contact_change", pk)


def dismiss(model_admin: Any, request: HttpRequest, pk: UUID) -> HttpResponse:
    """They are two people: never propose it again."""
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    proposals = model_admin.get_queryset(request).filter(pk=pk, answer="")
    answer = {"answered_at": clock.now(), "answered_by": request.user.get_username()[:150]}
    if proposals.update(answer=MergeProposal.Answer.OTHERS, **answer):
        messages.success(request, "They are two people. It is not proposed again.")
    return redirect("admin:crm_mergeproposal_changelist")


@admin.register(MergeProposal)
class MergeProposalAdmin(ReadOnlyAdmin):
    """Pairs that may be one person, the newest first; a row opens both side by side."""

    list_display = ["pair", "reasons", "found_at", "answer", "answered_by"]
    list_filter = ["answer"]
    list_select_related = ["one", "other"]
    ordering = ["-found_at", "-id"]
    list_before_template = "crm/proposals_intro.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not request.GET and self.has_view_permission(request):
            return redirect(f"{request.path}?answer__exact=")
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MergeProposal]:
        return super().get_queryset(request).exclude(one__erased_at__isnull=False)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        proposal = self.get_object(request, object_id)
        if proposal is None or proposal.answer or not request.user.has_perm(MAY):
            return super().change_view(request, object_id, form_url, extra_context)
        return redirect(
            f"{reverse('admin:crm_contact_merge', args=[proposal.one_id])}?with={proposal.other_id}"
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/dismiss/",
                wrap(require_POST(partial(dismiss, self))),
                name="crm_mergeproposal_dismiss",
            ),
            *super().get_urls(),
        ]

    @display(description="Who")
    def pair(self, proposal: MergeProposal) -> str:
        return str(proposal)

    @display(description="What they have in common")
    def reasons(self, proposal: MergeProposal) -> str:
        return likeness.words(proposal.why)


def stays_of(typed: str) -> UUID | None:
    """Who somebody became part of, by the id of who went."""
    key = _uuid(typed)
    gone = Contact.objects.filter(pk=key, merged_into__isnull=False, erased_at=None) if key else None
    return gone.values_list("merged_into", flat=True).first() if gone is not None else None


def _merge(request: HttpRequest, contact: Contact) -> HttpResponse:
    other = _chosen(request.POST.get("with", ""), contact)
    if other is None:
        raise Http404("There is no such person.")
    stays, goes = (other, contact) if request.POST.get("stays") == str(other.pk) else (contact, other)
    try:
        merging.merge(stays.pk, goes.pk, clock.now(), by=request.user.get_username())
        messages.success(request, f"{goes} is part of {stays} now. It can be undone below.")
    except merging.CannotMerge as problem:
        messages.error(request, str(problem))
    return redirect("admin:crm_contact_change", stays.pk)


def _chosen(typed: str, contact: Contact) -> Contact | None:
    key = _uuid(typed)
    if key is None or key == contact.pk:
        return None
    return reach.seen(Contact.objects.filter(pk=key, merged_into=None)).first()


def _proposal(one: Contact, other: Contact) -> MergeProposal | None:
    pair = sorted((one.pk, other.pk))
    return MergeProposal.objects.filter(one=pair[0], other=pair[1], answer="").first()


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _weight(contact: Contact) -> tuple[int, float]:
    """Who bought more stays, then who we have known for longer."""
    engagement = getattr(contact, "engagement", None)
    return (engagement.order_count if engagement else 0, -contact.created_at.timestamp())


def _side_by_side(one: Contact, other: Contact) -> list[tuple[str, str, str]]:
    """What each of the two says, line by line; lines that say nothing are left out."""
    fields = list(OwnField.objects.all())
    told = [_told(contact, fields) for contact in (one, other)]
    return [(label, left, told[1][label]) for label, left in told[0].items() if left or told[1][label]]


def _told(contact: Contact, fields: list[OwnField]) -> dict[str, str]:
    points = list(contact.points.order_by("channel", "-is_primary"))
    states = ConsentState.objects.filter(address_hash__in=[point.address_hash for point in points])
    agreed = states.filter(may_send=True).select_related("purpose").order_by("purpose__name")
    engagement = getattr(contact, "engagement", None)
    facts = {
        "Name": contact.full_name,
        "Addresses": ", ".join(masking.told(point.address) for point in points),
        "Agreed to": ", ".join(dict.fromkeys(str(state.purpose) for state in agreed)),
        "Company": str(contact.company or ""),
        "Owner": str(contact.owner or ""),
        "Country": contact.country,
        "Language": contact.language,
        "Tags": ", ".join(contact.tags),
        "Known since": f"{contact.created_at:%-d %B %Y}",
        "Came from": contact.source,
        "Orders": str(engagement.order_count) if engagement else "0",
        "Worth": money(engagement.spent, this_shop().currency) if engagement else "",
        "Last here": f"{engagement.last_seen_at:%-d %B %Y}" if engagement and engagement.last_seen_at else "",
    }
    return facts | {own.label: own_fields.told(own, contact.fields.get(own.key)) for own in fields}
