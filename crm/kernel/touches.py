"""How colleagues turn to a person: each app registers its ways in a module called `touches`.

What is written to a person by a campaign, or down for colleagues alone, is none.
"""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Least

from crm.kernel.kinds import Kind, Registry


class Touch(Kind):
    """Rows of one table that say that a colleague turned to a contact; `at` names their instant."""

    at = "occurred_at"

    def rows(self) -> QuerySet[Any]:
        """Everybody's, with a column `contact`."""
        raise NotImplementedError(f"{type(self).__name__} has no rows")


touches: Registry[Touch] = Registry(Touch)


def first_since(since: str, contact: str = "contact") -> Any:
    """When a colleague first turned to the contact of an outer row, from the instant in one of its columns
    on; None where nobody has.
    """
    found = [
        Subquery(
            touch.rows()
            .filter(**{"contact": OuterRef(contact), f"{touch.at}__gte": OuterRef(since)})
            .order_by(touch.at)
            .values(touch.at)[:1]
        )
        for touch in touches
    ]
    return Least(*found) if len(found) > 1 else found[0]
