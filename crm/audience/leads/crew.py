"""Who works here, who is away, and who stands in for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from crm.models import Absence
from crm.shop.settings import shop_zone


class Crew:
    """Everybody as of an instant, in three queries."""

    def __init__(self, now: datetime) -> None:
        self.users: dict[int, Any] = {
            user.pk: user for user in get_user_model().objects.filter(is_active=True).order_by("pk")
        }
        today = now.astimezone(shop_zone()).date()
        away = Absence.objects.filter(from_day__lte=today, to_day__gte=today).order_by("-from_day", "pk")
        self._stand_ins: dict[int, int | None] = dict(away.values_list("user_id", "stand_in_id"))

    def acting(self, pk: int | None) -> Any:
        """The colleague, or who stands in while they are away, or for whoever stands in; None where nobody
        of them is at work.
        """
        asked: set[int] = set()
        while pk is not None and pk not in asked:
            if pk not in self.users:
                return None
            if pk not in self._stand_ins:
                return self.users[pk]
            asked.add(pk)
            pk = self._stand_ins[pk]
        return None

    @property
    def superusers(self) -> list[Any]:
        """Who is told where nobody else can be."""
        return [user for user in self.users.values() if user.is_superuser]
