"""The ticks of crm: segments, leads, standings and statuses kept up, slots forgotten, consent checked."""

from datetime import datetime

from crm.audience import granting, rhythm, segmentation, standing
from crm.audience.leads import qualifying
from crm.kernel.work import Budget
from crm.people import consent, permitted
from crm.shop import bought
from crm.ticking import tick, tidy_slots


@tick("crm.segments", every=60, budget_seconds=50)
def segments(now: datetime, budget: Budget) -> int:
    """Bring segments up to date."""
    return segmentation.keep_up(now, budget)


@tick("crm.standing", every=60, budget_seconds=120)
def standings(now: datetime, budget: Budget) -> int:
    """Keep up who is active, cooling, at risk or lost."""
    return standing.keep_up(now)


@tick("crm.rhythm", every=86_400, budget_seconds=600)
def shop_rhythm(now: datetime, budget: Budget) -> int:
    """Measure how often the shop's people buy."""
    return rhythm.keep(now).gaps_seen


@tick("crm.leads", every=60, budget_seconds=50)
def leads(now: datetime, budget: Budget) -> int:
    """Bring leads, their scores and stages up to date."""
    return qualifying.refresh_all(now, budget)


@tick("crm.bought", every=60)
def count_earlier_orders(now: datetime, budget: Budget) -> int:
    """Count what was bought before it was counted as orders came in."""
    return bought.count_waiting(budget)


@tick("crm.statuses", every=60, budget_seconds=50)
def statuses(now: datetime, budget: Budget) -> int:
    """Give, renew and end statuses by their rules."""
    return granting.keep_up(now, budget)


@tick("crm.permitted", every=60)
def read_earlier_consent(now: datetime, budget: Budget) -> int:
    """Read who may be written about what, of people from before it was kept."""
    return permitted.keep_waiting(budget)


@tick("crm.tidy", every=3600)
def tidy(now: datetime, budget: Budget) -> int:
    """Forget what nobody needs any more."""
    return tidy_slots(now)


@tick("crm.consent_check", every=86_400, budget_seconds=600)
def consent_check(now: datetime, budget: Budget) -> int:
    """Compare consent with the events it comes from."""
    differences = consent.rebuild_states(repair=False)
    if differences:
        raise RuntimeError(
            f"{differences} rows of consent or suppression are not what their events add up to."
            " Nothing was changed: `manage.py consent rebuild` puts them right."
        )
    return permitted.mend()
