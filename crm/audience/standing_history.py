"""The past year of standings written from what is known of orders and visits: after an import, or a sample.

Every gap says by itself at which instants its person cooled, was at risk and lost, and which order brought
them back; so the moves are one statement, not a replay of days. Measured by today's rhythm and thresholds:
what was measured live before is written anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from crm.audience import counting, occasions, rhythm, standing
from crm.models import StandingDay, StandingMove, StandingUpkeep
from crm.models.writing import UUID7
from crm.shop.settings import this_shop

DAYS = 400

_ID = UUID7.replace("%s", "(extract(epoch FROM c.at) * 1000)")
_MOVES = f"""
    WITH {{marks}},
    chain AS (
        SELECT t.*, lag(state, 1, '') OVER w AS from_state, lead(at) OVER w AS next_at
        FROM turns AS t WINDOW w AS (PARTITION BY contact_id ORDER BY at, severity)
    )
    INSERT INTO crm_standingmove
        (id, contact_id, clock, from_state, to_state, at_stake, occurred_at, recorded_at, is_backfill)
    SELECT {_ID}, c.contact_id, c.clock, c.from_state, c.state, c.at_stake, c.at, c.at, true
    FROM chain AS c WHERE c.at > %(since)s OR COALESCE(c.next_at, 'infinity') > %(since)s
"""  # noqa: S608 - our own columns


def rebuild(now: datetime, acts: str = "") -> int:
    """Measure the shop, and write everybody's standing, moves and daily counts anew. Returns the moves.

    `acts` is a query of (contact, instant) that tells when people visited or clicked; without it the
    registered who never bought are known to have been there when they registered, and the last time.
    """
    history = occasions.REGISTERED + (f" UNION ALL {acts}" if acts else "")
    zone = ZoneInfo(this_shop().time_zone)
    since = now - timedelta(days=DAYS)
    with transaction.atomic():
        used = rhythm.keep(now)
        StandingMove.objects.all().delete()
        StandingDay.objects.all().delete()
        standing.begin_anew(now, history)
        asked = occasions.measures(now, used, standing.risk_settings()) | {"since": since}
        with connection.cursor() as cursor, standing.of_everybody():
            cursor.execute(_MOVES.format(marks=occasions.marks(history=history)), asked)
            moves = cursor.rowcount
        ended = now.astimezone(zone).date() - timedelta(days=1)
        counting.count_from_moves(since.astimezone(zone).date() + timedelta(days=1), ended, now)
        StandingUpkeep.objects.update(counted_day=ended)
    return moves
