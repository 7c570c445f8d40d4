"""Somebody is always left who says who may do what; and nobody says it of themselves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import Q, QuerySet

LAST = "Nobody would be left who can log in and change users. Make somebody else an administrator first."
OWN = "Nobody gives themselves more than they have. Ask another administrator, or a superuser."
OWN_GROUP = "You are in this group: another administrator, or a superuser, changes what stands here."
MAY = Permission.objects.filter(content_type__app_label="auth", codename="change_user")
"""The permission that makes somebody an administrator; all that is asked of it is asked of the database."""
_LOCK = 0x41646D69  # an advisory lock of this module


def are_left(*, without: Collection[Any] = (), groups: Collection[Any] = ()) -> bool:
    """Whether anybody administers beside these users, and not through these groups alone.

    Within a transaction two who take the last two away at once wait for each other. Where nobody administers
    as it is, nothing is taken away.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    return administrators(groups).exclude(pk__in=without).exists() or not administrators().exists()


def administrators(but: Collection[Any] = ()) -> QuerySet[User]:
    """Who can log in and change users, not through the groups `but`."""
    through = Group.objects.filter(permissions__in=MAY).exclude(pk__in=but)
    able = User.objects.filter(is_active=True, is_staff=True).exclude(
        password__startswith=UNUSABLE_PASSWORD_PREFIX
    )
    ways = Q(is_superuser=True) | Q(user_permissions__in=MAY) | Q(groups__in=through)
    return able.filter(pk__in=User.objects.filter(ways).values("pk"))


def stays_one(user: Any, said: dict[str, Any]) -> bool:
    """Whether somebody would still administer with what a form says of them."""
    able = said.get("is_active", user.is_active) and said.get("is_staff", user.is_staff)
    if not able or not user.has_usable_password():
        return False
    if said.get("is_superuser", user.is_superuser):
        return True
    own = said.get("user_permissions", user.user_permissions.all())
    groups = said.get("groups", user.groups.all())
    return MAY.filter(Q(pk__in=own) | Q(group__in=groups)).exists()


def gives(kept: QuerySet[Any], said: QuerySet[Any]) -> bool:
    """Whether a form names anything that was not there."""
    return bool({row.pk for row in said} - {row.pk for row in kept})
