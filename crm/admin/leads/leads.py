"""Leads: a board to move them on, and the same as a table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_POST

from crm.access import reach
from crm.admin.leads import board
from crm.audience.leads import stages
from crm.audience.leads.definitions import Refused
from crm.conditions import menus
from crm.kernel import clock, panels
from crm.kernel.backoffice import ExactFilter, ReadOnlyAdmin, action, display
from crm.models import Lead, LeadDefinition, Stage
from crm.shop import showing
from crm.shop.settings import this_shop


class OwnerFilter(admin.SimpleListFilter):
    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        held = Lead.objects.filter(ended_at=None).exclude(owner=None)
        users = User.objects.filter(pk__in=held.values("owner")).order_by("username")
        return [(board.NOBODY, "nobody"), *((str(user.pk), user.get_username()) for user in users)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lead]) -> QuerySet[Lead]:
        return board.of_owner(queryset, self.value() or "")


@admin.register(Lead)
class LeadAdmin(ReadOnlyAdmin):
    list_display = [
        *("person", "definition", "where", "score", "because", "worth", "expected", "owner", "became_at")
    ]
    list_display_links = None
    list_filter = ["definition", "stage", OwnerFilter, ExactFilter.on("contact__source", "source")]
    list_select_related = ["contact__engagement", "definition", "stage", "owner"]
    sortable_by = ["score", "became_at"]
    ordering = ["-score", "id"]
    search_fields = [
        "contact__email__exact",
        "contact__first_name__istartswith",
        "contact__last_name__istartswith",
    ]
    search_help_text = "A whole e-mail address, or how a name begins."
    list_before_template = "crm/lead_table_intro.html"
    fields = ["person", "definition", "where", "score", "because", "worth", "expected", "owner", "became_at"]
    readonly_fields = ["person", "where", "because", "worth", "expected"]
    actions = ["take_over"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lead]:
        now = super().get_queryset(request).filter(ended_at=None)
        return now.annotate(currency=Value(this_shop().currency))

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("board/", wrap(require_GET(self.on_board)), name="crm_lead_board"),
            path("board/more/", wrap(require_GET(self.more)), name="crm_lead_more"),
            path("<uuid:pk>/move/", wrap(require_POST(self.move)), name="crm_lead_move"),
            path("<uuid:pk>/assign/", wrap(require_POST(self.assign)), name="crm_lead_assign"),
            path("<uuid:pk>/expect/", wrap(require_POST(self.expect)), name="crm_lead_expect"),
            *super().get_urls(),
        ]

    def has_move_permission(self, request: HttpRequest) -> bool:
        # Moved and given to somebody, never edited.
        return request.user.has_perm("crm.change_lead")

    def on_board(self, request: HttpRequest) -> HttpResponse:
        """Columns of cards; the query says of which definition, owner and source."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._board(request)

    def more(self, request: HttpRequest) -> HttpResponse:
        """The next cards of one column."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = board.asked(request.GET, _definitions())
        columns = list(_stages(asked.definition))
        stage = next((one for one in columns if str(one.pk) == request.GET.get("stage")), None)
        cards, on = board.cards(asked, stage, clock.now(), request.GET.get("after", ""))
        column = board.Column(stage, cards, on)
        return render(
            request, "crm/lead_cards.html", self._shared(request, asked, columns) | {"column": column}
        )

    def move(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """One lead to a stage, onwards or back, by hand."""
        lead = self._changeable(request, pk)
        stage = _stages(lead.definition).filter(pk__in=_uuid(request.POST.get("stage", ""))).first()
        if stage is None:
            messages.error(request, "Choose a stage: that one is gone.")
            return self._back(request, lead)
        try:
            move = stages.move(lead, stage, clock.now(), request.user.get_username())
        except Refused as refused:
            messages.error(request, str(refused))
            return self._back(request, lead)
        if move is None:
            messages.info(request, f"{lead.contact} is at “{stage}” already.")
        else:
            before = f" from “{move.from_stage}”" if move.from_stage else ""
            messages.success(request, f"{lead.contact} was moved{before} to “{stage}”.")
        lead.refresh_from_db(fields=["stage", "stage_since"])
        return self._back(request, lead)

    def assign(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """One lead to a colleague, or to nobody."""
        lead = self._changeable(request, pk)
        chosen = request.POST.get("owner", "")
        owner = board.colleagues().filter(pk=int(chosen)).first() if chosen.isdecimal() else None
        if chosen and owner is None:
            messages.error(request, "Choose a colleague: that one is gone.")
        else:
            stages.assign(lead, owner, clock.now(), request.user.get_username())
            messages.success(request, f"{lead.contact} belongs to {owner or 'nobody'} now.")
        return self._back(request, lead)

    def expect(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What a colleague expects of one lead; blank takes it back."""
        lead = self._changeable(request, pk)
        try:
            value = _VALUE.clean(request.POST.get("value", ""))
        except ValidationError as wrong:
            messages.error(request, f"Expected value: {' '.join(wrong.messages)}")
            return self._back(request, lead)
        stages.expect(lead, value, clock.now(), request.user.get_username())
        told = showing.money(value, this_shop().currency) or "nothing"
        messages.success(request, f"{lead.contact}: {told} is expected.")
        return self._back(request, lead)

    @action(description="Take over the selected leads", permissions=["move"])
    def take_over(self, request: HttpRequest, queryset: QuerySet[Lead]) -> None:
        user = request.user
        assert isinstance(user, User)
        leads = list(queryset)
        for lead in leads:
            stages.assign(lead, user, clock.now(), user.get_username())
        messages.success(
            request, f"{len(leads)} {'lead belongs' if len(leads) == 1 else 'leads belong'} to you now."
        )

    @display(description="Who", ordering="contact__last_name")
    def person(self, lead: Lead) -> str:
        return showing.link(reverse("admin:crm_contact_change", args=[lead.contact_id]), lead.contact)

    @display(description="Stage", ordering="stage__position")
    def where(self, lead: Lead) -> str:
        card = board.card(lead, lead.stage, clock.now())
        return f"{lead.stage or 'no stage'}, {card.since}"

    @display(description="Because")
    def because(self, lead: Lead) -> str:
        return ", ".join(board.told(reason) for reason in lead.reasons[: board.REASONS_ON_CARD])

    @display(description="Worth")
    def worth(self, lead: Any) -> str:
        return showing.money(board.worth(lead), lead.currency)

    @display(description="Expected")
    def expected(self, lead: Any) -> str:
        return showing.money(lead.expected_value, lead.currency)

    def _changeable(self, request: HttpRequest, pk: UUID) -> Lead:
        if not self.has_move_permission(request):
            raise PermissionDenied
        lead = (
            self.get_queryset(request)
            .select_related("definition", "contact__engagement", "owner")
            .filter(pk=pk)
            .first()
        )
        if lead is None:
            raise Http404("There is no such lead now.")
        return lead

    def _back(self, request: HttpRequest, lead: Lead) -> HttpResponse:
        """To where the button was: the person's page, or the board, of which htmx asks for the part alone."""
        if not reach.still_sees(request.user, lead.contact_id):
            return redirect("admin:crm_lead_board")  # Given to somebody else, and so out of reach.
        if request.POST.get("from") == "contact":
            return redirect("admin:crm_contact_change", lead.contact_id)
        if request.headers.get("HX-Request"):
            return self._board(request, lead)
        asked = board.asked(request.GET, _definitions())
        return redirect(f"{reverse('admin:crm_lead_board')}?{asked.query}")

    def _board(self, request: HttpRequest, moved: Lead | None = None) -> HttpResponse:
        definitions = _definitions()
        asked = board.asked(request.GET, definitions)
        columns = list(_stages(asked.definition))
        context = self._shared(request, asked, columns) | {
            "columns": board.columns(asked, columns, clock.now(), moved),
        }
        if request.headers.get("HX-Request"):
            return render(
                request, "crm/lead_columns.html", context | {"says": list(messages.get_messages(request))}
            )
        context |= self.admin_site.each_context(request) | {
            "title": "Leads",
            "opts": self.opts,
            "definitions": definitions,
            "owners": board.owners(asked.definition),
            "sources": menus.values_of("source"),
            "my_day": panels.day_of(request.user, clock.now()),
        }
        return render(request, "crm/lead_board.html", context)

    def _shared(self, request: HttpRequest, asked: board.Asked, columns: list[Stage]) -> dict[str, Any]:
        return {
            "asked": asked,
            "stages": columns,
            "currency": this_shop().currency,
            "may_move": self.has_move_permission(request),
        }


_VALUE = forms.DecimalField(min_value=0, max_digits=12, decimal_places=2, required=False)


def _definitions() -> list[LeadDefinition]:
    return list(LeadDefinition.objects.order_by("-is_active", "name"))


def _stages(definition: LeadDefinition | None) -> QuerySet[Stage]:
    return Stage.objects.filter(definition=definition).order_by("position", "name")


def _uuid(typed: str) -> list[UUID]:
    """The one that was typed; none where it is not one."""
    try:
        return [UUID(typed)]
    except ValueError:
        return []
