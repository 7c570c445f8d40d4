"""What each app shows beside a person's facts on their page: registered in a module called `panels`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.kernel.kinds import Kind, Registry


class Panel(Kind):
    """One card on the contact's page. `place` orders the cards, `template` draws what `show` found."""

    place = 100
    template = ""

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        """What the template needs, in a fixed number of queries; None where there is nothing to show."""
        raise NotImplementedError(f"{type(self).__name__} shows nothing")


panels: Registry[Panel] = Registry(Panel)


def shown(contact_id: UUID, now: datetime) -> list[dict[str, Any]]:
    """Every card that has something to say of this person, in order."""
    found = []
    for panel in sorted(panels, key=lambda panel: panel.place):
        data = panel.show(contact_id, now)
        if data is not None:
            found.append({"label": panel.label, "template": panel.template, "data": data})
    return found
