"""What each app shows beside the facts of a person, or of a product, on their page, and in a colleague's day:
registered in a module called `panels`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from crm.kernel.kinds import Kind, Registry
from crm.kernel.looking import ANYBODY, Look, having, look


class Panel(Kind):
    """One card on the contact's page. `place` orders the cards, `template` draws what `show` found.

    A card that takes its time and stands far below comes `later`: its place is kept, and what is in it is
    asked for when somebody gets to see it, and says `none` where there is nothing.
    """

    place = 100
    template = ""
    later = False
    none = "Nothing yet."

    def rests_on(self, contact_id: Any) -> Sequence[QuerySet[Any]]:
        """Rows of which there has to be one for the card to have anything to say, whatever the moment; then
        they are looked for first, with those of all other cards. Without any, `show` is always asked.
        """
        return ()

    def show(self, contact_id: UUID, now: datetime) -> dict[str, Any] | None:
        """What the template needs, in a fixed number of queries; None where there is nothing to show."""
        raise NotImplementedError(f"{type(self).__name__} shows nothing")


class ProductPanel(Panel):
    """One card on the page of a product: `show` is asked with its id."""


class DayPanel(Panel):
    """One card of a colleague's day: `show` is asked with the user, and only of who has the permission."""

    permission = ""

    def show(self, user: Any, now: datetime) -> dict[str, Any] | None:
        raise NotImplementedError(f"{type(self).__name__} shows nothing")


panels: Registry[Panel] = Registry(Panel)
product_panels: Registry[ProductPanel] = Registry(ProductPanel)
day_panels: Registry[DayPanel] = Registry(DayPanel)


def shown(subject: Any, now: datetime, cards: Iterable[Panel] = panels) -> list[dict[str, Any]]:
    """Every card that has something to say of this person (or, of other cards, of this product or this
    colleague's day), in order.
    """
    looks = {panel: looks for panel in cards if (looks := _looks(panel))}
    silent = looks.keys() - having(looks, subject)
    found = []
    for panel in sorted(cards, key=lambda panel: panel.place):
        data = None if panel.later or panel in silent else panel.show(subject, now)
        if panel.later or data is not None:
            told = {"key": panel.key, "label": panel.label, "template": panel.template}
            found.append(told | {"data": data, "is_later": panel.later})
    return found


@cache
def _looks(panel: Panel) -> list[Look]:
    return [look(rows) for rows in panel.rests_on(ANYBODY)]


def day_of(user: Any, now: datetime) -> list[dict[str, Any]]:
    """The cards of this colleague's day."""
    return shown(user, now, [card for card in day_panels if user.has_perm(card.permission)])
