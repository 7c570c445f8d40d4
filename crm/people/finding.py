"""A person or a company found by whatever somebody remembers, while they type.

The surest first: a whole address, a number elsewhere; then how a name or an address begins; then all words
anywhere in name, address and number. Each is a bounded look into an index, whatever the size of the shop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Upper
from django.db.models.lookups import Contains, StartsWith

from crm.access import reach
from crm.kernel import tokens
from crm.models import Channel, Company, Contact, ContactPoint, OutsideId
from crm.models.contacts import words
from crm.people import identity

SHORTEST = 3
"""An index of trigrams knows nothing of shorter words: those are how something begins, or nothing alone."""

_NUMBER = re.compile(r"\+?[\d\s()./-]*\d[\d\s()./-]*")
_LEAST_DIGITS = 4
_LONGEST = 100
_MOST_OF_ONE = 100


def people(typed: str, limit: int, *, by_parts: bool = True) -> list[Contact]:
    """Those who fit best, at most `limit`, with their companies; by parts of an address if `by_parts`."""
    typed = _said(typed)
    found: dict[object, Contact] = {}
    with transaction.atomic():
        if typed:
            # Of a word that only looks common, the planner would read the whole table to find the first few.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
        for fitting in _ways(typed, by_parts=by_parts) if typed else ():
            rows = reach.seen(Contact.objects.filter(fitting, merged_into=None)).select_related("company")
            for person in rows[:limit]:
                found.setdefault(person.pk, person)
            if len(found) >= limit:
                break
    return list(found.values())[:limit]


def companies(typed: str, limit: int) -> list[Company]:
    """Companies by words of their name."""
    typed = _said(typed)
    if len(typed) < SHORTEST:
        return []
    return list(Company.objects.filter(_all_of(Upper("name"), typed.upper().split()))[:limit])


def known_by(typed: str) -> Q | None:
    """Whose whole address or number elsewhere this is, of contacts; None where it is neither."""
    ids = whole(typed)
    return None if ids is None else Q(pk__in=ids)


def whole(typed: str) -> list[UUID] | None:
    """Ids of the contacts whose whole address or number elsewhere this is; None where it is neither."""
    typed = _said(typed)
    if not typed:
        return None
    outside = OutsideId.objects.filter(external_id=typed, kind=identity.CUSTOMER)
    if ids := list(outside.values_list("contact_id", flat=True)[:_MOST_OF_ONE]):
        return ids
    for channel in (Channel.EMAIL, Channel.SMS):
        if hashes := _hashes(channel, typed):
            points = ContactPoint.objects.filter(channel=channel, address_hash__in=hashes)
            return list(points.values_list("contact_id", flat=True))
    return None


def hashes(typed: str) -> list[bytes]:
    """Keyed hashes of a whole address, on each channel on which it can be one."""
    typed = _said(typed)
    return [found for channel in (Channel.EMAIL, Channel.SMS) for found in _hashes(channel, typed)]


def _ways(typed: str, *, by_parts: bool) -> Iterator[Q]:
    if known := known_by(typed):
        yield known
    capitals = typed.upper()
    if " " not in capitals:
        for name in ("last_name", "first_name", *(["email"] if by_parts else [])):
            yield Q(StartsWith(Upper(name), capitals))
    if not by_parts:
        # Only names: an index of the whole of it knows addresses, too.
        if len(parts := capitals.split()) > 1:
            ends = StartsWith(Upper("last_name"), parts[-1])
            yield Q(StartsWith(Upper("first_name"), parts[0]), ends)
    elif parts := _parts(capitals):
        yield _all_of(words(), parts)
    if of := companies(typed, 3):
        yield Q(company__in=of)


def _parts(capitals: str) -> list[str]:
    """The words to look for; of a telephone number its digits, without what one dials before it."""
    if _NUMBER.fullmatch(capitals):
        digits = re.sub(r"\D", "", capitals)
        digits = digits if capitals.startswith("+") else digits.lstrip("0")
        return [digits] if len(digits) >= _LEAST_DIGITS else []
    parts = capitals.split()
    return parts if any(len(part) >= SHORTEST for part in parts) else []


def _all_of(said: Upper, parts: Sequence[str]) -> Q:
    return Q(*(Contains(said, part) for part in parts))


def _said(typed: str) -> str:
    return " ".join(typed.replace("\0", " ").split())[:_LONGEST]


def _hashes(channel: str, typed: str) -> list[bytes]:
    if channel == Channel.EMAIL and "@" not in typed:
        return []
    try:
        return list(tokens.address_hashes(channel, typed).values())
    except ValueError:
        return []
