"""Six groups to begin with. Each is given once what its kit says; what an administrator changes stays.

A permission named in a kit later is added to the group by the next migrate. One that was given before is not
given again, nor is a group that was deleted made anew. Groups of an administrator's own are not touched.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from config.kits import KITS, Kit
from crm.models import ExportLimit, Role, Sight

LIMIT, SIGHT = "export_limit", "sight"
"""Stand among what was given: a limit, and how people are seen, are given once, too."""
_OURS = Q(content_type__app_label__in=("crm", "tracking", "campaigns", "django_celery_beat"))
_COLLEAGUES = Q(content_type__app_label="auth", content_type__model__in=("user", "group"))


@transaction.atomic
def ensure() -> None:
    """Make the groups and give what was never given. Repeating it changes nothing."""
    roles = {role.key: role for role in Role.objects.select_for_update(no_key=True, of=("self",))}
    there = {
        f"{app}.{codename}": pk
        for app, codename, pk in Permission.objects.filter(_OURS | _COLLEAGUES).values_list(
            "content_type__app_label", "codename", "pk"
        )
    }
    for kit in KITS:
        wanted = {*(there if kit.everything else kit.permissions()), *_settings(kit)} - _given(roles, kit)
        if not wanted:
            continue
        new = sorted(name for name in wanted if name in there)
        role = roles.get(kit.key)
        if role is None:
            # A group of this name that somebody made before is theirs: ours goes by another.
            name = f"{kit.name} (Rekindle)" if Group.objects.filter(name=kit.name).exists() else kit.name
            role = Role.objects.create(key=kit.key, group=Group.objects.get_or_create(name=name)[0])
        settings = {LIMIT, SIGHT} & wanted
        if role.group is not None:
            role.group.permissions.add(*(there[name] for name in new))
            if LIMIT in settings:
                ExportLimit.objects.get_or_create(group=role.group, defaults=kit.limit)
            if SIGHT in settings:
                Sight.objects.get_or_create(group=role.group, defaults=kit.sight)
        role.given = sorted({*role.given, *new, *settings})
        role.save(update_fields=["given"])


def _settings(kit: Kit) -> set[str]:
    return {name for name, said in ((LIMIT, kit.limit), (SIGHT, kit.sight)) if said}


def _given(roles: Mapping[str, Role], kit: Kit) -> set[str]:
    return set(roles[kit.key].given) if kit.key in roles else set()
