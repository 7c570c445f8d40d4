"""Tasks: what colleagues have to do about people, and a button that says it is done."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from crm.access import reach
from crm.audience.leads import stages
from crm.audience.leads.definitions import Refused
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, action, display
from crm.models import HandOver, Lead, StageMove, Task
from crm.shop import showing

LABELS = {"done": "success", "late": "danger", "open": "info"}


class WhoseFilter(admin.SimpleListFilter):
    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "mine"), ("nobody", "nobody's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        if self.value() == "mine":
            return queryset.filter(owner_id=request.user.pk)
        return queryset.filter(owner=None) if self.value() == "nobody" else queryset


class DoneFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "to do"), ("done", "done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        chosen = {"open": True, "done": False}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(done_at__isnull=chosen)


@admin.register(Task)
class TaskAdmin(ModelAdmin):
    list_display = ["title", "person", "state", "owner", "due_at", "kind", "created_at"]
    list_filter = [WhoseFilter, DoneFilter, "kind"]
    list_select_related = ["contact", "owner"]
    sortable_by = ["due_at", "created_at"]
    ordering = [F("done_at").desc(nulls_first=True), F("due_at").asc(nulls_last=True), "created_at"]
    autocomplete_fields = ["contact"]
    actions = ["finish"]
    change_form_outer_before_template = "crm/task_page.html"

    def get_fields(self, request: HttpRequest, obj: Task | None = None) -> Any:
        told = [("created_at", "done_at", "done_by")] if obj else []
        return ["title", "contact", ("owner", "due_at"), "body", *told]

    def get_readonly_fields(self, request: HttpRequest, obj: Task | None = None) -> list[str]:
        if obj is None:
            return []
        # The contact says on which shard the row lives: it is chosen once. A lead is given, not its task.
        given = ["owner", "due_at"] if obj.kind == Task.Kind.HAND_OVER else []
        return ["contact", "created_at", "done_at", "done_by", *given]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk} | super().get_changeform_initial_data(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        task = self.get_object(request, object_id)
        if task is not None and self.has_view_permission(request, task):
            waits = task.done_at is None and handed_over(task) is not None
            extra_context = (extra_context or {}) | {"handed": waits, "why_not": HandOver.Reason.choices}
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        if "due_at" in form.changed_data:
            obj.reminded_at = None  # Due at another time: that is told, too.
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/done/", wrap(require_POST(self.done)), name="crm_task_done"),
            path("<uuid:pk>/answer/", wrap(require_POST(self.answer)), name="crm_task_answer"),
            *super().get_urls(),
        ]

    def done(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """This one is done."""
        task = self._task(request, pk)
        if _finish(Task.objects.filter(pk=pk), request, clock.now()):
            messages.success(request, f"“{task}” is done.")
        elif task.done_at is None:
            messages.error(request, "A lead that was handed over is accepted or refused.")
        return _back(request, task)

    def answer(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Take a lead that was handed over, or send it back to be nurtured."""
        task = self._task(request, pk)
        lead = handed_over(task)
        if not request.user.has_perm("crm.change_lead"):
            raise PermissionDenied
        if lead is None or task.done_at is not None:
            messages.error(request, "This was answered already.")
            return _back(request, task)
        by, now = request.user.get_username(), clock.now()
        try:
            if request.POST.get("do") == "accept":
                stages.accept(lead, now, by)
                stages.assign(lead, request.user, now, by)
                messages.success(request, f"{lead.contact} is accepted, and yours to speak to.")
            else:
                _refuse(lead, now, by, request.POST)
                messages.success(request, f"{lead.contact} goes back to be nurtured.")
        except Refused as refused:
            messages.error(request, str(refused))
        return _back(request, task)

    def _task(self, request: HttpRequest, pk: UUID) -> Task:
        if not self.has_change_permission(request):
            raise PermissionDenied
        task = self.get_queryset(request).select_related("contact").filter(pk=pk).first()
        if task is None:
            raise Http404("There is no such task.")
        return task

    @action(description="The selected tasks are done", permissions=["change"])
    def finish(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        done = _finish(queryset, request, clock.now())
        messages.success(request, f"{done} task{'s' * (done != 1)} done.")

    @display(description="About", ordering="contact__last_name")
    def person(self, task: Task) -> str:
        return showing.link(reverse("admin:crm_contact_change", args=[task.contact_id]), task.contact)

    @display(description="State", label=LABELS)
    def state(self, task: Task) -> tuple[str, str]:
        if task.done_at:
            return "done", f"done by {task.done_by}" if task.done_by else "done"
        late = task.due_at is not None and task.due_at < clock.now()
        return ("late", "overdue") if late else ("open", "to do")


def handed_over(task: Task) -> Lead | None:
    """The lead a task is about: it carries the id of the move that handed the lead over."""
    if task.kind != Task.Kind.HAND_OVER:
        return None
    move = StageMove.objects.filter(pk=task.pk, contact=task.contact_id).first()
    if move is None:
        return None
    leads = Lead.objects.filter(contact=task.contact_id, definition=move.definition_id, ended_at=None)
    return leads.select_related("contact").first()


def _refuse(lead: Lead, now: datetime, by: str, said: QueryDict) -> None:
    """Raises Refused where no reason is given."""
    why, words = said.get("why", ""), said.get("reason", "").replace("\0", "").strip()
    if why not in HandOver.Reason:
        why = HandOver.Reason.OTHER
        if not words:
            raise Refused(["Say why you refuse the lead: marketing learns from it."])
    stages.refuse(lead, now, by, words, why=why)


def _back(request: HttpRequest, task: Task) -> HttpResponse:
    if request.POST.get("from") == "board" or not reach.still_sees(request.user, task.contact_id):
        return redirect("admin:crm_lead_board")
    return redirect("admin:crm_contact_change", task.contact_id)


def _finish(tasks: QuerySet[Task], request: HttpRequest, now: datetime) -> int:
    """Say of those still open that they are done, and who said so. A hand-over is done by its answer."""
    still = Task.objects.filter(pk__in=tasks.order_by().values("pk"), done_at=None)
    return still.exclude(kind=Task.Kind.HAND_OVER).update(done_at=now, done_by=request.user.get_username())
