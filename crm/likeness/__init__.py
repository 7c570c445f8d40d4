"""What makes two contacts look like one person. Each kind names pairs; somebody looks at both before they are
merged.

Addresses are never shared by two contacts, however they are spelled: what is found here is the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q

from crm.kernel.kinds import Kind, Registry
from crm.models import MergeProposal

MOST = 2000
"""So many pairs of one kind a night: a shop that has more has another problem, and somebody has to look."""
LARGEST_GROUP = 5
"""What more people than these share, they share by accident: a switchboard, a name like any other."""


class Likeness(Kind):
    """One thing two contacts can have in common. Its `sql` selects contact and what that is, as text, for
    everybody who is neither merged nor a test person.
    """

    sql = ""

    def pairs(self) -> list[tuple[UUID, UUID]]:
        """Pairs, the older contact first."""
        with connection.cursor() as cursor:
            cursor.execute(_PAIRS.format(shared=self.sql), [LARGEST_GROUP, MOST])
            return list(cursor.fetchall())


likenesses: Registry[Likeness] = Registry(Likeness)

_PAIRS = """
    WITH shared (id, what) AS MATERIALIZED ({shared}),
    groups AS (
        SELECT array_agg(DISTINCT id ORDER BY id) AS people FROM shared WHERE what <> ''
        GROUP BY what HAVING count(DISTINCT id) BETWEEN 2 AND %s
    )
    SELECT DISTINCT a, b FROM groups, unnest(people) AS a, unnest(people) AS b
    WHERE a < b ORDER BY a, b LIMIT %s
"""
LIVING = "FROM crm_contact AS c WHERE c.merged_into_id IS NULL AND NOT c.is_test"


def propose(now: datetime) -> int:
    """Look at everybody and propose whom nobody has answered for yet. Returns how many new pairs."""
    found: dict[tuple[UUID, UUID], list[str]] = {}
    for kind in likenesses:
        for pair in kind.pairs():
            found.setdefault(pair, []).append(kind.key)
    gone = MergeProposal.objects.filter(answer="").exclude(
        Q(one__merged_into=None) & Q(other__merged_into=None)
    )
    gone.delete()
    known = set(MergeProposal.objects.values_list("one_id", "other_id"))
    new = [
        MergeProposal(one_id=one, other_id=other, why=why, found_at=now)
        for (one, other), why in found.items()
        if (one, other) not in known
    ]
    MergeProposal.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
    return len(new)


def words(keys: Iterable[str]) -> str:
    """What two have in common, as a person reads it."""
    labels = {kind.key: kind.label for kind in likenesses}
    return ", ".join(labels.get(key, key) for key in keys)
