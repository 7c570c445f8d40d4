"""How much may leave: above a size after a fresh password alone, and by group so many rows of one list, or of
all lists together in 24 hours.

A limit is of a group. It binds whoever takes lists away through that group alone: in several such groups the
widest counts; given to somebody directly, the permission has no limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q, Sum

from crm.models import Export, ExportLimit, Role
from crm.sheets.exporting.listing import PERMISSION, Listing, Refused

PASSWORD_ABOVE = 1000
"""Rows."""
DAY = timedelta(hours=24)
_TAKEN = (Export.Status.RUNNING, Export.Status.DONE, Export.Status.EXPIRED)


@dataclass(frozen=True)
class Limit:
    """Of one group: so many rows of one export, so many in 24 hours; None is without end."""

    group: str
    rows: int | None
    rows_a_day: int | None

    def left(self, taken: int) -> int | None:
        """How many rows an export may have, after so many in the last 24 hours."""
        day = None if self.rows_a_day is None else max(self.rows_a_day - taken, 0)
        ends = [end for end in (self.rows, day) if end is not None]
        return min(ends) if ends else None

    def in_words(self, taken: int) -> str:
        said = []
        if self.rows is not None:
            said.append(f"up to {self.rows:,} rows of one list")
        if self.rows_a_day is not None:
            said.append(
                f"up to {self.rows_a_day:,} rows of all lists in 24 hours, of which {taken:,} are taken"
            )
        return f"{self.group} may take away {', and '.join(said)}."


def widest(user: Any, now: datetime, but: Export | None = None) -> tuple[Limit | None, int]:
    """The limit that binds them, and what they took in the last 24 hours without `but`; None: without end."""
    limits = _limits(user)
    if limits is None:
        return None, 0
    taken = _taken(user, now, but) if any(one.rows_a_day is not None for one in limits) else 0
    ends = [(one.left(taken), one) for one in limits]
    if any(left is None for left, _limit in ends):
        return None, 0
    return max(ends, key=lambda end: end[0] or 0)[1], taken


def most(user: Any, now: datetime, but: Export | None = None) -> int | None:
    """How many rows their next export may have (or `but`, which is not counted itself)."""
    limit, taken = widest(user, now, but)
    return limit.left(taken) if limit else None


def check(user: Any, number: int, now: datetime, but: Export | None = None) -> None:
    """Pass where an export of so many rows is within the limit. Raises Refused: the limit, and who may."""
    limit, taken = widest(user, now, but)
    left = limit.left(taken) if limit else None
    if limit is not None and left is not None and number > left:
        wider = ", ".join(_wider(number))
        others = f"{wider} or an administrator" if wider else "an administrator"
        raise Refused(
            f"This list is too long for you: {limit.in_words(taken)} Narrow it with filters, or ask {others}."
        )


def check_list(listing: Listing, now: datetime) -> None:
    """The same of a list as it is now, counted no further than it needs."""
    left = most(listing.request.user, now)
    if left is not None:
        check(listing.request.user, listing.at_most(left + 1), now)


def one_by_one(user: Any) -> None:
    """Within a transaction: two exports of one person whose day is limited do not begin at the same time."""
    limits = _limits(user)
    if limits and any(one.rows_a_day is not None for one in limits):
        get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)


def _limits(user: Any) -> list[Limit] | None:
    """Of each group that lets them take lists away; None where nothing limits them."""
    app, codename = PERMISSION.split(".")
    this = {"permissions__content_type__app_label": app, "permissions__codename": codename}
    own = {f"user_{name}": value for name, value in this.items()}
    if user.is_superuser or get_user_model().objects.filter(pk=user.pk, **own).exists():
        return None
    groups = dict(Group.objects.filter(user=user, **this).values_list("pk", "name"))
    kept = {one.group_id: one for one in ExportLimit.objects.filter(group__in=groups)}
    if not groups or groups.keys() - kept.keys():
        return None
    return [Limit(name, kept[pk].rows, kept[pk].rows_a_day) for pk, name in sorted(groups.items())]


def _taken(user: Any, now: datetime, but: Export | None) -> int:
    lately = Export.objects.filter(made_by=user, status__in=_TAKEN, began_at__gt=now - DAY)
    return (lately.exclude(pk=but.pk) if but else lately).aggregate(rows=Sum("total"))["rows"] or 0


def _wider(number: int) -> list[str]:
    """Groups whose people may take so many rows away; administrators are named anyway."""
    app, codename = PERMISSION.split(".")
    groups = Group.objects.filter(permissions__content_type__app_label=app, permissions__codename=codename)
    limited = ExportLimit.objects.filter(Q(rows__lt=number) | Q(rows_a_day__lt=number)).values("group")
    besides = Role.objects.filter(key="administrators", group__isnull=False).values("group")
    wider = groups.exclude(pk__in=limited).exclude(pk__in=besides)
    return list(wider.order_by("name").values_list("name", flat=True))
