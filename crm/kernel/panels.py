"""What each app shows beside the facts of a person, or of a product, on their page: registered in a module
called `panels`.
"""

from __future__ import annotations

from collections.abc import Iterable
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


class ProductPanel(Panel):
    """One card on the page of a product: `show` is asked with its id."""


panels: Registry[Panel] = Registry(Panel)
product_panels: Registry[ProductPanel] = Registry(ProductPanel)


def shown(subject_id: UUID, now: datetime, cards: Iterable[Panel] = panels) -> list[dict[str, Any]]:
    """Every card that has something to say of this person (or, of other cards, of this product), in order."""
    found = []
    for panel in sorted(cards, key=lambda panel: panel.place):
        data = panel.show(subject_id, now)
        if data is not None:
            found.append({"label": panel.label, "template": panel.template, "data": data})
    return found
