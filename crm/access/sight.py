"""What a colleague's groups say of how they see people: a setting of each, beside its limits of exports.

Groups count that let them see people; where none does, those that say anything. Of several the widest counts.
Whoever was given a look at people directly, and superusers, see everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group, Permission

from crm.models import Sight

Addresses, People = Sight.Addresses, Sight.People
ADDRESSES = (Addresses.WHOLE, Addresses.LISTS, Addresses.NEVER)
PEOPLE = (People.EVERYBODY, People.UNOWNED, People.OWN)
"""Each with the widest first."""
_MAY = {"content_type__app_label": "crm", "codename": "view_contact"}
_KEPT = "_sights"


def widest(user: Any, column: str, order: Sequence[str]) -> str:
    """What counts for them."""
    if not user.is_authenticated or user.is_superuser:
        return order[0]
    if _KEPT not in user.__dict__:
        user.__dict__[_KEPT] = _sights(user)
    said = {getattr(one, column) for one in user.__dict__[_KEPT]}
    return next((one for one in order if one in said), order[0])


def _sights(user: Any) -> list[Sight]:
    said = {one.group_id: one for one in Sight.objects.filter(group__user=user)}
    if not said:
        return []
    giving = set(
        Group.objects.filter(user=user, permissions__in=Permission.objects.filter(**_MAY)).values_list(
            "pk", flat=True
        )
    )
    # A group that lets them see people and says nothing more shows all of them whole.
    if giving - said.keys() or user.user_permissions.filter(**_MAY).exists():
        return []
    return [one for group, one in said.items() if not giving or group in giving]
