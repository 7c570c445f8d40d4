"""What each person may be written about, kept beside their other moments: the purposes, by channel, for which
their first address has consent that nothing stops. Rules of now read it; whoever sends asks the truth
(`crm.people.permission`).

Whoever writes consent, stops or addresses reads it off anew in the same transaction (`keep`), which stirs as
well. People of before are read in the background (`keep_waiting`); until the last is, rules ask the truth.

One process may record a word on an address while another gives that address to somebody: neither sees the
other's rows. So both look once more when they have committed (`after_a_word`, `after_a_gift`), and whoever
commits last sees both. They wait for nobody. A process killed just before that look leaves the rest to the
day's comparison of everybody (`mend`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from crm.kernel import ids
from crm.kernel.work import Budget, in_batches
from crm.models import Channel, ContactPoint, Engagement, Purpose
from crm.people import engagement
from crm.people.permission import standing_consents
from crm.people.stirring import OWN

BATCH = 5000
# Of each, its texts with a comma between: an array of arrays cannot have rows of different lengths.
_KEEP = (
    "INSERT INTO crm_engagement (id, contact_id, order_count, spent, stirred, may_receive)"  # noqa: S608 - our own columns
    f" SELECT id, contact_id, 0, 0, {OWN}, string_to_array(may, ',')"
    " FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS t(id, contact_id, may)"
    " ON CONFLICT (contact_id) DO UPDATE SET stirred = EXCLUDED.stirred, may_receive = EXCLUDED.may_receive"
)

# One array instead of thousands of parameters: an import asks for every address it brought.
_SPOKEN_OF = """
    SELECT p.contact_id FROM crm_contactpoint AS p
    WHERE p.address_hash = ANY(%s::bytea[])
        AND EXISTS (SELECT FROM crm_consentevent AS e WHERE e.address_hash = p.address_hash)
"""


def name_of(channel: str, purpose_id: int) -> str:
    """A channel and a purpose as `Engagement.may_receive` has them."""
    return f"{channel}:{purpose_id}"


def keep(contact_ids: Iterable[UUID]) -> None:
    """Read anew what these people may be written about, as this transaction sees it, and stir them."""
    people = sorted(set(contact_ids))
    if not people:
        return
    # Whoever comes second waits, and then sees what the first one wrote.
    engagement.hold(people)
    may: dict[UUID, set[str]] = defaultdict(set)
    points = ContactPoint.objects.filter(contact_id__in=people, is_primary=True)
    owners: dict[tuple[bytes, str], UUID] = {
        (bytes(digest), channel): contact_id
        for digest, channel, contact_id in points.values_list("address_hash", "channel", "contact_id")
    }
    states = standing_consents().filter(address_hash__in={digest for digest, _ in owners})
    for digest, channel, purpose_id in states.values_list("address_hash", "channel", "purpose_id"):
        if owner := owners.get((bytes(digest), channel)):
            may[owner].add(name_of(channel, purpose_id))
    texts = [",".join(sorted(may[person])) for person in people]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [[ids.uuid7() for _ in people], people, texts])


def after_a_word(addresses: set[bytes]) -> None:
    """Read now whoever has these addresses, of which something was recorded, and once more after the commit
    whoever has got one meanwhile.
    """
    had = _people_of(addresses)
    keep(had)
    transaction.on_commit(lambda: _keep_now(_people_of(addresses) - had), robust=True)


def after_a_gift(addresses: Iterable[bytes]) -> None:
    """These addresses were given to somebody who did not have them: read those people once more after the
    commit, as far as something was ever recorded of the address.
    """
    if given := list(addresses):
        transaction.on_commit(partial(_read_spoken_of, given), robust=True)


def _people_of(addresses: Iterable[bytes]) -> set[UUID]:
    points = ContactPoint.objects.filter(address_hash__in=list(addresses))
    return set(points.values_list("contact_id", flat=True))


def _read_spoken_of(addresses: list[bytes]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SPOKEN_OF, [addresses])
        people = {contact_id for (contact_id,) in cursor.fetchall()}
    _keep_now(people)


def _keep_now(people: set[UUID]) -> None:
    if people:
        with transaction.atomic():
            keep(people)


_whole = False


def are_kept() -> bool:
    """Whether everybody has been read: once so, always so."""
    global _whole
    _whole = _whole or not Engagement.objects.filter(may_receive=None).exists()
    return _whole


def keep_waiting(budget: Budget) -> int:
    """Read people who were there before this was kept. Returns how many."""
    read = 0
    while people := list(
        Engagement.objects.filter(may_receive=None).values_list("contact", flat=True)[:BATCH]
    ):
        with transaction.atomic():
            keep(people)
        read += len(people)
        if not budget:
            break
    return read


def mend() -> int:
    """Read everybody anew of whom what is kept is not the truth. Returns how many they were."""
    if not are_kept():
        return 0
    mended = 0
    for people in in_batches(dict.fromkeys(_wrong()), BATCH):
        with transaction.atomic():
            keep(people)
        mended += len(people)
    return mended


def _wrong() -> Iterator[UUID]:
    for purpose_id in Purpose.objects.values_list("pk", flat=True):
        for channel in Channel.values:
            kept = Q(may_receive__contains=[name_of(channel, purpose_id)])
            true = Exists(_allowed(channel, purpose_id).filter(contact=OuterRef("contact")))
            yield from Engagement.objects.filter(kept & ~true).values_list("contact", flat=True)
            held = Engagement.objects.filter(kept, contact=OuterRef("contact"))
            missing = _allowed(channel, purpose_id).filter(~Exists(held))
            yield from missing.values_list("contact", flat=True)


def _allowed(channel: str, purpose_id: int) -> QuerySet[ContactPoint]:
    states = standing_consents().filter(
        address_hash=OuterRef("address_hash"), channel=channel, purpose_id=purpose_id
    )
    return ContactPoint.objects.filter(Exists(states), channel=channel, is_primary=True)
