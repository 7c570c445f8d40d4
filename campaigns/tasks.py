"""The ticks of campaigns: let people in, move them on, tell colleagues, send, free what a dead worker held,
credit orders, work out recommendations, keep up what became of coupons, pick winners.
"""

from datetime import datetime, timedelta

from campaigns.delivery import joining, notices, outbox
from campaigns.flows import journeys
from campaigns.messages import recommending
from campaigns.offers import codes, upkeep
from campaigns.results import attribution, picking
from crm.kernel import clock
from crm.kernel.work import Budget
from crm.models import Heartbeat
from crm.ticking import tick

CREDIT = "campaigns.credit"
RECOMMEND = "campaigns.recommend"
COUPONS = "campaigns.coupons"
# Transactions that were open at the last run, and clicks that are read after their order.
CREDIT_AGAIN = timedelta(hours=2)
CREDIT_FIRST = timedelta(days=30)


@tick("campaigns.trigger", every=15)
def trigger(now: datetime, budget: Budget) -> int:
    """Let in whoever qualifies for a running campaign."""
    return journeys.enrol(now, budget)


@tick("campaigns.advance", every=15)
def advance(now: datetime, budget: Budget) -> int:
    """Move on everyone in a flow who is due."""
    return journeys.advance(now, budget)


@tick("campaigns.deliver", every=15)
def deliver(now: datetime, budget: Budget) -> int:
    """Send what is due."""
    return outbox.deliver(clock.now, budget, tick="campaigns.deliver")["claimed"]


@tick("campaigns.webhooks", every=15)
def call_others(now: datetime, budget: Budget) -> int:
    """Call the other systems that are to be told of people."""
    return outbox.deliver(clock.now, budget, tick="campaigns.webhooks")["claimed"]


@tick("campaigns.notices", every=15)
def tell_colleagues(now: datetime, budget: Budget) -> int:
    """Put into the queue what colleagues are to be told."""
    return notices.hand_on(now, budget)


@tick("campaigns.reap", every=15)
def reap(now: datetime, budget: Budget) -> int:
    """Take back what a dead sender had claimed; park what it may have sent. Forget what no longer waits
    to join another message.
    """
    return outbox.reap() + joining.tidy()


@tick(CREDIT, every=30)
def credit(now: datetime, budget: Budget) -> int:
    """Credit new orders to the message that brought them."""
    succeeded = Heartbeat.objects.filter(name=CREDIT, seconds__gt=0)
    last = succeeded.values_list("beat_at", flat=True).first()
    return attribution.credit(now, min(last, now) - CREDIT_AGAIN if last else now - CREDIT_FIRST)


@tick(RECOMMEND, every=60, budget_seconds=600)
def recommend(now: datetime, budget: Budget) -> int:
    """Work out what goes with what: at night, or when somebody asked."""
    return recommending.keep_up(now)


@tick(COUPONS, every=30)
def coupons(now: datetime, budget: Budget) -> int:
    """Learn what became of coupons: shown, used, expired, or back in the pool."""
    succeeded = Heartbeat.objects.filter(name=COUPONS, seconds__gt=0)
    last = succeeded.values_list("beat_at", flat=True).first()
    since = min(last, now) - CREDIT_AGAIN if last else now - CREDIT_FIRST
    return upkeep.settle(now) + upkeep.learn_used(now, since) + upkeep.expire(now)


@tick("campaigns.codes", every=60)
def fetch_codes(now: datetime, budget: Budget) -> int:
    """Fetch codes for offers that keep some ready and have too few."""
    return codes.top_up(now, budget)


@tick("campaigns.winners", every=600)
def pick_winners(now: datetime, budget: Budget) -> int:
    """Pick the winner among compared messages where a marketer left that to the program."""
    return picking.pick_winners(now, budget)
