"""The ticks of crm: segments, leads, standings and statuses kept up, slots forgotten, consent checked."""

from datetime import datetime

from crm import likeness
from crm.audience import granting, rhythm, segmentation, standing
from crm.audience.leads import passing, qualifying
from crm.kernel.work import Budget
from crm.models import Merging
from crm.people import consent, erased, erasing, merging, permitted, reminding, request_telling
from crm.sheets.exporting import files as exported
from crm.sheets.exporting import running as exporting
from crm.sheets.importing import files, running
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


@tick("crm.hand_overs", every=60)
def hand_overs(now: datetime, budget: Budget) -> int:
    """Ask the next colleague where nobody took a lead in time."""
    return passing.pass_on(now, budget)


@tick("crm.reminders", every=60)
def reminders(now: datetime, budget: Budget) -> int:
    """Tell colleagues what is due."""
    return reminding.remind(now, budget)


@tick("crm.requests", every=600)
def requests(now: datetime, budget: Budget) -> int:
    """Tell colleagues which requests of people are due."""
    return request_telling.remind(now, budget)


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


@tick("crm.imports", every=60, budget_seconds=120)
def imports(now: datetime, budget: Budget) -> int:
    """Check, bring in and take back spreadsheets."""
    return running.keep_up(now, budget)


@tick("crm.exports", every=60, budget_seconds=50)
def exports(now: datetime, budget: Budget) -> int:
    """Make files of lists that were asked for."""
    return exporting.keep_up(now, budget)


@tick("crm.same_person", every=86_400, budget_seconds=600)
def same_person(now: datetime, budget: Budget) -> int:
    """Look for contacts who may be one person."""
    return likeness.propose(now)


@tick("crm.late_rows", every=60)
def late_rows(now: datetime, budget: Budget) -> int:
    """Take over, or erase, what was still being written of people who were just merged or erased."""
    made = Merging.objects.filter(undone_at=None, merged_at__gt=now - erasing.LATE)
    taken = sum(merging.gather(one, now) for one in made)
    return taken + sum(erasing.again(one, now) for one in erasing.late(now))


@tick("crm.erased", every=60)
def erased_list(now: datetime, budget: Budget) -> int:
    """Write whoever was erased on the list beside the database."""
    return erased.keep_up(now)


@tick("crm.tidy", every=3600)
def tidy(now: datetime, budget: Budget) -> int:
    """Forget what nobody needs any more."""
    return tidy_slots(now) + files.tidy(now) + exported.tidy(now)


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
