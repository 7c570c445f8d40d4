"""Whom rules about leads are asked of: people known by then, a batch of them or everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery

from crm.kernel.patience import TookTooLong, at_most
from crm.kernel.rules import AnyOf
from crm.models import Contact, Lead, LeadDefinition

# Seconds for one statement of a refresh; a rule that needs more keeps its definition closed.
PATIENCE = 120
_SHORTEST = 0.05
BECAME = "lead_became_at"


def known(at: datetime, among: Sequence[UUID] | None = None) -> QuerySet[Contact]:
    """People known by then and not merged into somebody else; among these alone where some are named."""
    people = Contact.objects.filter(merged_into=None, created_at__lte=at, recorded_at__lte=at)
    return people if among is None else people.filter(AnyOf(F("pk"), among))


def leads_among(definition: LeadDefinition, at: datetime, among: Sequence[UUID]) -> QuerySet[Any]:
    """Leads of a definition among these people, with the instant they became one as `BECAME`."""
    mine = Lead.objects.filter(contact=OuterRef("pk"), definition=definition)
    return known(at, among).annotate(**{BECAME: Subquery(mine.values("became_at")[:1])})


def in_time(ends: float, work: Callable[[], Any]) -> bool:
    """Whether it was done before that reading of the monotonic clock; what was not done leaves no trace."""
    left = ends - monotonic()
    if left < _SHORTEST:
        return False
    try:
        with at_most(left):
            work()
    except TookTooLong:
        return False
    return True
