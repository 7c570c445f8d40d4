"""Contacts that a query over everybody's rows names, in a form the planner reads well wherever it stands."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Q, QuerySet

from crm.kernel.rules.narrowing import Among
from crm.models import Contact


def among(ids: QuerySet[Any]) -> Q:
    """Contacts whose ids are among these: one column of an aggregate not bound to the contact around it.

    Asked as an *exists* over contacts: negated, below *any* or inside a CASE, a bare *in* reads the whole
    list for every person as soon as it outgrows the memory for a hash table; the *exists* becomes an anti
    join, or asks for the one person. Where only *all* stands above, compiling makes it a bare *in*.
    """
    return Q(Among(Contact.objects.filter(pk=OuterRef("pk"), pk__in=ids), ids))
