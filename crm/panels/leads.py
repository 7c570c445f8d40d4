"""What leads add to a person's page: where they stand and why, and what is to be done about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from crm.kernel.panels import Panel, panels
from crm.models import HandOver, Lead, Stage, Task
from crm.shop.settings import this_shop

MOST_TASKS = 8


@panels.register
class Leads(Panel):
    """Of which definitions the person is a lead: stage, score with its reasons, owner, since when."""

    key = "crm.leads"
    label = "Lead"
    place = 10
    template = "crm/lead_panel.html"

    def rests_on(self, contact_id: Any) -> list[Any]:
        return [Lead.objects.filter(contact_id=contact_id, ended_at=None)]

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        [rows] = self.rests_on(contact_id)
        leads = list(rows.select_related("definition", "stage", "owner").order_by("became_at"))
        if not leads:
            return None
        stages = list(
            Stage.objects.filter(definition__in=[lead.definition_id for lead in leads]).order_by(
                "position", "name"
            )
        )
        return {
            "leads": [
                {
                    "lead": lead,
                    "stages": [stage for stage in stages if stage.definition_id == lead.definition_id],
                    "days": max((now - lead.stage_since).days, 0),
                    "too_long": _too_long(lead, now),
                }
                for lead in leads
            ],
            "currency": this_shop().currency,
            "colleagues": list(User.objects.filter(is_active=True, is_staff=True).order_by("username")),
        }


@panels.register
class Tasks(Panel):
    """What colleagues still have to do about the person."""

    key = "crm.tasks"
    label = "To do"
    place = 15
    template = "crm/task_panel.html"

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any]:
        rows = Task.objects.filter(contact_id=contact_id, done_at=None).select_related("owner")
        return {
            "contact_id": contact_id,
            "now": now,
            "why_not": HandOver.Reason.choices,
            "tasks": list(rows.order_by(F("due_at").asc(nulls_last=True), "-created_at")[:MOST_TASKS]),
        }


def _too_long(lead: Lead, now: datetime) -> bool:
    limit = lead.stage.limit_days if lead.stage else None
    return limit is not None and (now - lead.stage_since).days > limit
