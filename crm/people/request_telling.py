"""Whoever answers requests is told: of what a colleague passed on, a week before one is due, and on its last
day. Once each, and of nobody by name: who asked stands on the page alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse

from crm.kernel.work import Budget, batches
from crm.models import Notice, PersonRequest
from crm.models.writing import update_rows
from crm.people import request_days
from crm.shop.settings import shop_zone

WEEK = 7
MORNING = time(8)
_BATCH = 200


def came_in(request: PersonRequest, now: datetime) -> None:
    """A colleague passed one on."""
    last = request.due_at.astimezone(shop_zone())
    subject = f"Somebody asked for something: answer by {last:%-d %B}"
    body = f"{request.kind_label}, {request.get_way_display()}. A colleague passed it on."
    _tell([(request, f"{request.pk}:new", subject, body)], now)


def remind(now: datetime, budget: Budget) -> int:
    """Tell, from the morning on, of what is due in a week and of what is due today. Returns how many."""
    zone = shop_zone()
    local = now.astimezone(zone)
    if local.time() < MORNING:
        return 0
    today = datetime.combine(local.date(), time.max, tzinfo=zone)
    return sum(map(len, batches(lambda: _batch(today, now), budget)))


@transaction.atomic
def _batch(today: datetime, now: datetime) -> list[PersonRequest]:
    soon = Q(due_at__gt=today, due_at__lte=today + timedelta(days=WEEK), reminded_days=None)
    last = Q(due_at__lte=today) & (Q(reminded_days=None) | Q(reminded_days__gt=0))
    zone = today.tzinfo
    locked = PersonRequest.objects.select_for_update(skip_locked=True).filter(soon | last, ended_at=None)
    requests = list(locked.order_by("due_at", "pk")[:_BATCH])
    told = []
    for request in requests:
        request.reminded_days = WEEK if request.due_at > today else 0
        on = request_days.on(request.due_at, now, zone)
        subject = f"A request is to be answered: {request_days.left(request.due_at, now, zone)}"
        body = f"{request.kind_label}, received on {request.received_at.astimezone(zone):%-d %B}. Due {on}."
        key = f"{request.pk}:{int(request.due_at.timestamp())}:{request.reminded_days}"
        told.append((request, key, subject, body))
    if told:
        update_rows(requests, "reminded_days")
        _tell(told, now)
    return requests


def _tell(told: Iterable[tuple[PersonRequest, str, str, str]], now: datetime) -> None:
    users = _who_answers()
    Notice.objects.bulk_create(
        [
            Notice(
                key=f"request:{key}:{user.pk}",
                user=user,
                subject=subject,
                body=body,
                path=_page(request),
                created_at=now,
            )
            for request, key, subject, body in told
            for user in users
        ],
        ignore_conflicts=True,
    )


def _who_answers() -> list[Any]:
    """Colleagues who may answer requests; superusers where there is nobody else."""
    users: Any = get_user_model().objects
    staff = users.with_perm("crm.handle_requests", is_active=True, include_superusers=False)
    return list(staff.filter(is_staff=True).order_by("pk")) or list(
        users.filter(is_active=True, is_superuser=True).order_by("pk")
    )


def _page(request: PersonRequest) -> str:
    """Blank where the admin has no such page."""
    try:
        return reverse("admin:crm_personrequest_change", args=[request.pk])
    except NoReverseMatch:
        return ""
