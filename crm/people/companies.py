"""Companies by many: told of by their names, changed and taken back, their people asked again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from crm.kernel import ids
from crm.models import Company, Contact
from crm.models.writing import update_rows
from crm.people.stirring import stir

RULED = ("name", "domain", "country")
"""What rules ask of the company of a person."""
TOLD = (*RULED, "city")
"""What files tell of a company."""
_NAMES = 0x436F6D70  # the advisory lock of whoever makes companies by name, so that no two make one


def spelled(name: str) -> str:
    """A name as companies are known by it: small letters, one space between words."""
    return " ".join(name.split()).lower()


def hold_names() -> None:
    """Whoever else makes companies by their names waits until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NAMES])


def make(told: Collection[Mapping[str, Any]], now: datetime) -> list[UUID]:
    """New companies, each with the values of TOLD that are told of it. Returns their ids, in this order."""
    rows = [Company(id=ids.uuid7(now), created_at=now, **one) for one in told]
    return [row.pk for row in Company.objects.bulk_create(rows, batch_size=1000)]


def change(told: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Give companies these values, and have rules ask their people again."""
    rows = list(Company.objects.filter(pk__in=told).order_by("pk").select_for_update(no_key=True))
    for company in rows:
        for name, value in told[company.pk].items():
            setattr(company, name, value)
    update_rows(rows, *TOLD)
    stir(Contact.objects.filter(company__in=rows).values_list("pk", flat=True))
