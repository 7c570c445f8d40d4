"""What somebody holds: a status such as VIP, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from campaigns.messages.kinds import Asked, Fact, facts
from campaigns.messages.variables import Named, Variable
from crm.models import Status
from crm.people import statuses


@facts.register
class Held(Fact):
    """Each status under its name: `{% if status.vip %}` is true of whoever holds it at the moment of sending,
    and `status.vip.until` says until when.
    """

    key = "campaigns.status"
    label = "Statuses"
    name = "status"
    shape = Named(
        {
            "name": Variable("what it is called", "VIP"),
            "until": Variable("until when they hold it", datetime(2027, 3, 2, 10, 0, tzinfo=UTC)),
        },
        "vip",
    )

    def load(self, asked: Asked) -> dict[int, dict[str, Any]]:
        names = dict(Status.objects.values_list("key", "name"))
        held = statuses.held({one.contact.pk for one in asked.recipients}, asked.now)
        return {
            one.key: {
                key: {"name": name, "until": mine[key]} if key in mine else None
                for key, name in names.items()
            }
            for one in asked.recipients
            for mine in [held.get(one.contact.pk, {})]
        }

    def problems(self, names: Iterable[str]) -> list[str]:
        wanted = sorted(names)
        known = set(Status.objects.filter(key__in=wanted).values_list("key", flat=True))
        return [f"there is no status called {name}" for name in wanted if name not in known]
