"""A task is due: its owner is told by e-mail, once for each time it is due."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from crm.audience.leads.crew import Crew
from crm.audience.leads.pages import page_of_board, page_of_task
from crm.audience.leads.telling import MOST_SINGLE
from crm.kernel.work import Budget, batches
from crm.models import Notice, Task
from crm.models.writing import update_rows

_BATCH = 200
_MOST_NAMED = 20
# What was due longer ago, before reminders or while nothing ran, is seen as overdue and mailed about no more.
_LATEST = timedelta(days=1)


def remind(now: datetime, budget: Budget) -> int:
    """Tell of every task that has become due. Hand-overs have notices of their own. Returns how many."""
    return sum(map(len, batches(lambda: _batch(now), budget)))


@transaction.atomic
def _batch(now: datetime) -> list[Task]:
    due = Task.objects.filter(
        done_at=None,
        reminded_at=None,
        due_at__lte=now,
        due_at__gt=now - _LATEST,
        kind=Task.Kind.TODO,
        owner__isnull=False,
    )
    locked = due.select_related("contact").select_for_update(skip_locked=True, no_key=True, of=("self",))
    tasks = list(locked.order_by("due_at", "pk")[:_BATCH])
    if not tasks:
        return []
    crew = Crew(now)
    by_user: dict[Any, list[Task]] = defaultdict(list)
    for task in tasks:
        task.reminded_at = now
        user = crew.acting(task.owner_id) or crew.users.get(task.owner_id or 0)
        if user is not None:
            by_user[user].append(task)
    update_rows(tasks, "reminded_at")
    notices = [notice for user, rows in by_user.items() for notice in _notices(user, rows, now)]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    return tasks


def _notices(user: Any, tasks: list[Task], now: datetime) -> list[Notice]:
    if len(tasks) > MOST_SINGLE:
        return [_summary(user, tasks, now)]
    return [
        Notice(
            key=f"task:{task.pk}:{_due(task)}:{user.pk}",
            user=user,
            contact_id=task.contact_id,
            subject=f"Due now: {task.title}"[:200],
            body=f"{task.title}\n\nAbout {task.contact}.{f'{chr(10) * 2}{task.body}' if task.body else ''}",
            path=page_of_task(task.pk),
            created_at=now,
        )
        for task in tasks
    ]


def _summary(user: Any, tasks: list[Task], now: datetime) -> Notice:
    lines = [f"  {task.title}: {task.contact}" for task in tasks[:_MOST_NAMED]]
    if len(tasks) > _MOST_NAMED:
        lines.append(f"  and {len(tasks) - _MOST_NAMED:,} more")
    return Notice(
        key=f"tasks:{tasks[0].pk}:{_due(tasks[0])}:{user.pk}",
        user=user,
        subject=f"{len(tasks):,} tasks are due",
        body="\n".join(["These are due now:", *lines]),
        path=page_of_board(),
        created_at=now,
    )


def _due(task: Task) -> int:
    return int(task.due_at.timestamp()) if task.due_at else 0
