"""What goes with what, and what sells, worked out by the database: nightly, or when somebody asks.

*How near.* People put products into baskets: an order is one, all orders of a person are a loose one; what
a person looked at on one day is one, what they looked at in the window a loose one. A basket of k products
gives each pair in it 1/k (a loose one LOOSE/k), so that a buyer of everything says little of anything. The
sum is divided by the root of how many baskets hold either: what everybody buys is not near to everything. A
pair seen once is an accident; one seen rarely is held back (`DOUBT`).

*Bounds.* The most recent MOST products of a basket count (LOOSE_MOST of a loose one). Pairs are made for a
range of products at a time, of so many that they make about PAIRS_AT_ONCE: memory does not grow with the
shop, only the number of ranges.

*Whole or not at all.* Everything happens in one transaction, the tables of baskets vanish with it, and
readers see the former answers until the new ones are there. A second run gives up its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction

from campaigns.messages import recommending_sql
from campaigns.models import Neighbour, RecommendationRun
from crm.shop import bought
from crm.shop.settings import shop_zone

BOUGHT_FOR = timedelta(days=365)
LOOKED_FOR = timedelta(days=90)
SELLING_FOR = timedelta(days=90)
MOST, LOOSE_MOST = 60, 20
LOOSE = 0.3
DOUBT = 0.5
TIMES = 2
PER_PRODUCT = 24
BEST, BEST_OF_CATEGORY = 60, 24
PAIRS_AT_ONCE = 6_000_000
WORK_MEM = "96MB"
NIGHT = 3
"""The hour of the shop's day from which a night's run is due."""

KEPT_RUNS = 60
PROGRESS, PROGRESS_SECONDS = "campaigns.recommending", 600
_LOCK = 7_226_002

Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Progress:
    """How far the run at work has come."""

    words: str
    done: int
    of: int

    @property
    def percent(self) -> int:
        return 100 * self.done // self.of if self.of else 0


def ask(by: str, now: datetime) -> RecommendationRun:
    """Have everything worked out anew at the next tick. Asked twice before it began, it is one run."""
    return RecommendationRun.objects.get_or_create(
        started_at=None, defaults={"asked_at": now, "asked_by": by}
    )[0]


def keep_up(now: datetime) -> int:
    """Work it out where somebody asked, or the night's run is due. Returns how many pairs there are then."""
    run = RecommendationRun.objects.filter(started_at=None).first()
    if run is None and not _is_due(now):
        return 0
    made = compute(now, run or RecommendationRun(asked_at=now))
    return made.links if made else 0


def last_done() -> RecommendationRun | None:
    """The run whose answers are in use."""
    return (
        RecommendationRun.objects.filter(error="").exclude(finished_at=None).order_by("-finished_at").first()
    )


def progress() -> Progress | None:
    """Of the run at work, if there is one."""
    with suppress(Exception):  # a broker that is away must not take the page with it
        found = cache.get(PROGRESS)
        return Progress(*found) if found else None
    return None


def compute(now: datetime, run: RecommendationRun | None = None) -> RecommendationRun | None:
    """Work out everything as of now, and keep how it went. None where another run is at it."""
    run = run or RecommendationRun(asked_at=now)
    began = monotonic()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return None
            run.started_at = now
            _work_out(cursor, now, run)
    except Exception as error:
        run.started_at = run.finished_at = now
        run.error, run.seconds = str(error)[:2000], monotonic() - began
        run.save()
        raise
    finally:
        _tell("", 0, 0)
    run.seconds, run.finished_at = monotonic() - began, now
    run.save()
    kept = RecommendationRun.objects.order_by("-pk").values_list("pk", flat=True)[:KEPT_RUNS]
    RecommendationRun.objects.exclude(pk__in=list(kept)).delete()
    return run


def _is_due(now: datetime) -> bool:
    last = RecommendationRun.objects.exclude(started_at=None).order_by("-started_at").first()
    if last is None or last.started_at is None:
        return True
    zone = shop_zone()
    night = now.astimezone(zone).replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    if night > now:
        night -= timedelta(days=1)
    return last.started_at < night


def _work_out(cursor: Any, now: datetime, run: RecommendationRun) -> None:
    values: dict[str, Any] = {
        "now": now,
        "bought_since": now - BOUGHT_FOR,
        "looked_since": (now - LOOKED_FOR).date(),
        "looked_until": now.date(),
        "selling_since": now - SELLING_FOR,
        "most": MOST,
        "loose_most": LOOSE_MOST,
        "loose": LOOSE,
        "doubt": DOUBT,
        "times": TIMES,
        "per_product": PER_PRODUCT,
        "best": BEST,
        "best_of_category": BEST_OF_CATEGORY,
        "pairs_at_once": PAIRS_AT_ONCE,
    }
    cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
    _tell("Reading the catalogue", 0, 1)
    cursor.execute("DROP TABLE IF EXISTS rk_goods")
    cursor.execute(recommending_sql.GOODS, values)
    cursor.execute("ANALYZE rk_goods")
    whole = bought.are_whole()
    cursor.execute("DELETE FROM campaigns_neighbour")
    cursor.execute("DELETE FROM campaigns_bestseller")
    _tell("Reading orders", 0, 1)
    run.orders = _baskets(cursor, recommending_sql.orders(whole), values)
    links, with_any = _neighbours(cursor, Neighbour.Sort.TOGETHER, "bought together", values)
    cursor.execute(recommending_sql.best(whole), values)
    _tell("Reading visits", 0, 1)
    run.visits = _baskets(cursor, recommending_sql.VIEWS, values)
    more, also = _neighbours(cursor, Neighbour.Sort.SIMILAR, "looked at together", values)
    run.links, run.products = links + more, max(with_any, also)
    cursor.execute("ANALYZE campaigns_neighbour, campaigns_bestseller")


def _baskets(cursor: Any, statement: str, values: dict[str, Any]) -> int:
    """Lay out the baskets of one sort; returns how many were tight ones."""
    cursor.execute("DROP TABLE IF EXISTS rk_basket, rk_often, rk_range")
    cursor.execute(statement, values)
    cursor.execute("ANALYZE rk_basket")
    cursor.execute(recommending_sql.OFTEN, values)
    cursor.execute("ANALYZE rk_often")
    cursor.execute("SELECT count(DISTINCT basket) FROM rk_basket WHERE is_tight")
    return cursor.fetchone()[0]


def _neighbours(cursor: Any, sort: str, words: str, values: dict[str, Any]) -> tuple[int, int]:
    cursor.execute(recommending_sql.RANGES, values)
    ranges = cursor.fetchall()
    links = 0
    for number, (first, last) in enumerate(ranges):
        _tell(f"What is {words}", number, len(ranges))
        cursor.execute(recommending_sql.PAIRS, values | {"sort": sort, "first": first, "last": last})
        links += cursor.rowcount
    cursor.execute("SELECT count(DISTINCT product_id) FROM campaigns_neighbour WHERE sort = %s", [sort])
    return links, cursor.fetchone()[0]


def _tell(words: str, done: int, of: int) -> None:
    with suppress(Exception):  # progress is a courtesy: a broker that is away stops no work
        if words:
            cache.set(PROGRESS, (words, done, of), PROGRESS_SECONDS)
        else:
            cache.delete(PROGRESS)
