"""The scheduled work of tracking."""

from datetime import datetime

from crm.kernel.work import Budget
from crm.ticking import tick
from tracking.shop import carts
from tracking.visits import ingest, on_site, retention, rollups


@tick("tracking.ingest", every=2)
def read_inbound(now: datetime, budget: Budget) -> int:
    """Read what visitors did"""
    done = 0
    while read := ingest.apply(now):
        done += read
        if not budget:
            break
    return done


@tick("tracking.on_site", every=60)
def tell_on_site(now: datetime, budget: Budget) -> int:
    """Tell colleagues whose leads are on the site"""
    return on_site.tell(now)


@tick("tracking.bought", every=15)
def end_bought_carts(now: datetime, budget: Budget) -> int:
    """End the carts that were bought"""
    return carts.close_lately(now)


@tick("tracking.tidy", every=3600)
def tidy(now: datetime, budget: Budget) -> int:
    """Forget old carts and raw data, make room for the next months"""
    retention.make_partitions(now)
    return carts.close_all(now) + carts.expire(now) + retention.forget(now)


@tick("tracking.rollups", every=60)
def count_earlier_months(now: datetime, budget: Budget) -> int:
    """Count the acts of months from before they were counted as they came in"""
    return rollups.make_waiting(budget)
