"""Lists that were asked for by somebody's address: saved, or taken away."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

from django.db.models import Q, QuerySet

from crm.kernel.keeping import Kept, Person, keeping
from crm.models import Export, SavedView


class _Lists(Kept):
    by = ""
    moves = False
    in_words = ""
    """The column that says it for people; `query` says it as an address of a page does."""

    def rows(self, person: Person) -> QuerySet[Any]:
        found = person.mentioned("query", self.in_words)
        for address in person.addresses:
            found |= Q(query__icontains=quote_plus(address))
        return self.model._base_manager.filter(found)


@keeping.register
class SavedViews(_Lists):
    """Saved views that search for one of their addresses."""

    key = "crm.saved_views"
    label = "Saved views"
    model = SavedView
    in_words = "name"


@keeping.register
class Exports(_Lists):
    """Exports of lists that were searched for one of their addresses: who took what stays, but not by which
    words.
    """

    key = "crm.exports"
    label = "Exports of lists"
    model = Export
    in_words = "told"
    leaves = {"query": "", "told": "somebody who was erased since"}
