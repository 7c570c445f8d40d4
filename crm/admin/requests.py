"""What people ask of us about their data: the queue of whoever answers it, and the page of one request, on
which it is done step by step.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_POST

from crm.admin import request_acts
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, UnfoldAdminSelectWidget, display
from crm.kernel.requests import CannotDo, choices, request_kinds
from crm.models import PersonRequest
from crm.people import finding, request_days, request_reading, requests
from crm.person_acts.when import has_been
from crm.shop import showing

SOON = 7
LABELS = {"overdue": "danger", "soon": "warning", "later": "info", "closed": "success"}


class RequestForm(forms.ModelForm):
    """A request written down by hand."""

    kind = forms.ChoiceField(label="They want", choices=choices, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = PersonRequest
        fields = ["contact", "kind", "received_at", "way", "words"]
        labels = {
            "contact": "Who asks",
            "received_at": "Received",
            "way": "Asked",
            "words": "What they wrote or said",
        }
        help_texts = {
            "contact": "Blank: nobody was found yet. Who it is can be said later.",
            "received_at": "The month to answer begins then.",
            "words": "In short, as far as it is needed to answer them.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        contact = cleaned.get("contact")
        if contact is not None and contact.merged_into_id is not None:
            self.add_error("contact", "They are not there any more: choose somebody else.")
        if (at := cleaned.get("received_at")) and not has_been(at, clock.now()):
            self.add_error("received_at", "This day has not come yet: say when they asked.")
        return cleaned


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "to answer"), ("overdue", "overdue"), ("closed", "closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PersonRequest]) -> QuerySet[PersonRequest]:
        if self.value() == "closed":
            return queryset.exclude(ended_at=None)
        if self.value() == "overdue":
            return queryset.filter(ended_at=None, due_at__lt=clock.now())
        return queryset.filter(ended_at=None) if self.value() == "open" else queryset


class KindFilter(admin.SimpleListFilter):
    title = "what they want"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[PersonRequest]) -> QuerySet[PersonRequest]:
        return queryset.filter(kind=self.value()) if self.value() in request_kinds else queryset


@admin.register(PersonRequest)
class PersonRequestAdmin(ModelAdmin):
    exports = False
    form = RequestForm
    compressed_fields = False
    autocomplete_fields = ["contact"]
    list_display = ["left", "person", "asked_for", "due_on", "received_on", "way", "stands"]
    list_filter = [StateFilter, KindFilter]
    list_select_related = ["contact"]
    list_before_template = "crm/requests_intro.html"
    sortable_by: list[str] = []
    search_fields = ["contact__email"]
    search_help_text = "A whole e-mail address, telephone number or outside id: also of somebody erased."
    ordering = [F("ended_at").desc(nulls_first=True), "due_at", "id"]

    def has_view_permission(self, request: HttpRequest, obj: PersonRequest | None = None) -> bool:
        return request.user.has_perm(requests.MAY)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: PersonRequest | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PersonRequest | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PersonRequest], search_term: str
    ) -> tuple[QuerySet[PersonRequest], bool]:
        """An address is looked up by its keyed hash alone: of somebody erased nothing else is there."""
        if not search_term.strip():
            return queryset, False
        theirs = Q(contact__in=finding.whole(search_term) or [])
        return queryset.filter(theirs | Q(address_hash__in=finding.hashes(search_term))), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told = {"title": "Requests"}
        if self.has_view_permission(request):
            told["to_answer"] = request_reading.to_answer(clock.now())
        return super().changelist_view(request, (extra_context or {}) | told)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = self.get_object(request, object_id)
        if asked is None:
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return render(request, "crm/request_page.html", self._page(request, asked, clock.now()))

    def save_model(self, request: HttpRequest, obj: PersonRequest, form: Any, change: bool) -> None:
        now = clock.now()
        made = requests.record(
            obj.kind,
            obj.contact_id,
            now,
            user=request.user,
            received_at=min(obj.received_at, now),
            way=obj.way,
            words=obj.words,
        )
        obj.pk, obj.due_at = made.pk, made.due_at
        obj._state.adding = False

    def response_add(
        self, request: HttpRequest, obj: PersonRequest, post_url_continue: str | None = None
    ) -> HttpResponse:
        last = date_format(timezone.localtime(obj.due_at), "j F Y")
        messages.success(request, f"It is written down, and to be answered by {last}.")
        return redirect("admin:crm_personrequest_change", obj.pk)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **more: Any) -> Any:
        told = context | {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, told, *args, **more)

    def get_urls(self) -> list[Any]:
        act = self.admin_site.admin_view(require_POST(self.act))
        return [path("<uuid:pk>/do/<str:what>/", act, name="crm_personrequest_act"), *super().get_urls()]

    def act(self, request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
        """Something is done about it, or noted."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not PersonRequest.objects.filter(pk=pk).exists():
            raise Http404("There is no such request.")
        words = " ".join(request.POST.get("words", "").replace("\0", "").split())[:2000]
        by, now = request.user.get_username(), clock.now()
        try:
            messages.success(request, request_acts.act(what)(pk, words, now, by))
        except CannotDo as problem:
            messages.error(request, str(problem))
        return redirect("admin:crm_personrequest_change", pk)

    def _page(self, request: HttpRequest, asked: PersonRequest, now: datetime) -> dict[str, Any]:
        lines = list(asked.lines.order_by("at", "id"))
        doings = request_reading.doings(asked, lines, now)
        kind = request_reading.kind_of(asked)
        done = all(doing.line and not doing.old for doing in doings)
        context: dict[str, Any] = self.admin_site.each_context(request)
        return context | {
            "title": asked.kind_label,
            "opts": self.model._meta,
            "original": asked,
            "kind": kind,
            "doings": [(doing, self._door(request, asked, doing)) for doing in doings],
            "proven": request_reading.is_proven(asked),
            "may_answer": done and request_reading.is_proven(asked) and asked.contact_id is not None,
            "left": request_days.left(asked.due_at, now),
            "late": asked.is_to_do and asked.due_at < now,
            "log": [(line, request_reading.said_of(asked, line)) for line in lines],
        }

    def _door(self, request: HttpRequest, asked: PersonRequest, doing: request_reading.Doing) -> str:
        """The page on which a step is done, for whoever may; blank where there is none."""
        step = doing.step
        if not step.page or not doing.ready or not request.user.has_perm(step.permission):
            return ""
        return f"{reverse(step.page, args=[asked.contact_id])}?request={asked.pk}"

    @display(description="Time left", label=LABELS)
    def left(self, asked: PersonRequest) -> tuple[str, str]:
        if not asked.is_to_do:
            return "closed", "closed"
        now, zone = clock.now(), timezone.get_current_timezone()
        days = request_days.days_left(asked.due_at, now, zone)
        how = "overdue" if days < 0 else "soon" if days <= SOON else "later"
        return how, request_days.left(asked.due_at, now, zone)

    @display(description="Who")
    def person(self, asked: PersonRequest) -> str:
        if asked.contact is None:
            return "not known" if asked.is_to_do else "nobody any more"
        return showing.link(reverse("admin:crm_contact_change", args=[asked.contact_id]), asked.contact)

    @display(description="They want")
    def asked_for(self, asked: PersonRequest) -> str:
        return showing.link(reverse("admin:crm_personrequest_change", args=[asked.pk]), asked.kind_label)

    @display(description="Due")
    def due_on(self, asked: PersonRequest) -> str:
        return date_format(timezone.localtime(asked.due_at), "j M Y")

    @display(description="Received")
    def received_on(self, asked: PersonRequest) -> str:
        return date_format(timezone.localtime(asked.received_at), "j M Y")

    @display(description="State")
    def stands(self, asked: PersonRequest) -> str:
        return asked.get_state_display()
