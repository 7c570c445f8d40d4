"""People who qualified before the launch: only on purpose, so many a day, evenly, and marked as such."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign, Decision, Delivery, Enrolment
from crm.models import Contact
from tests.campaigns import mailing
from tests.campaigns.flows.stage import MINUTE, SEND, enrol, flow, run
from tests.office import set_up_shop

pytestmark = pytest.mark.django_db

# A Tuesday, 12:00 in Amsterdam.
NOON = datetime(2026, 3, 3, 11, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Lazy(Trigger):
    """Everybody with a name qualifies, for ever; those who joined last come first."""

    key = "tests.lazy"
    label = "Has a name"
    looks_at_people = True

    def entrants(self, params, campaign, now, *, limit, existing=False):
        if not existing:
            return []
        inside = Enrolment.objects.filter(campaign=campaign).values("contact")
        found = Contact.objects.exclude(pk__in=inside).order_by("-first_name")[:limit]
        return [Entrant(one.pk, f"named:{one.pk}", one.created_at) for one in found]


@pytest.fixture(autouse=True)
def trigger():
    set_up_shop()
    with triggers.temporarily(Lazy):
        yield


def campaign(**changes):
    usual = {"trigger": Lazy.key, "trigger_params": {}, "existing_a_day": 24, "launched_at": NOON}
    made = flow(SEND, **(usual | changes))
    mailing.people(60, made.purpose)
    return made


def came(until, begin=NOON, every=HOUR):
    """How many are inside after each hour."""
    found, now = [], begin
    while now <= until:
        enrol(now)
        found.append(Enrolment.objects.count())
        now += every
    return found


def test_they_come_evenly_and_never_more_than_so_many_a_local_day():
    campaign()
    first = came(NOON + 11 * HOUR)
    assert first == list(range(1, 13))
    rest = came(NOON + 35 * HOUR, NOON + 12 * HOUR)
    assert rest[0] == 13
    assert rest[-1] == 12 + 24
    assert all(0 <= after - before <= 1 for before, after in pairwise(rest))


def test_after_a_halt_of_days_not_all_of_them_come_at_once():
    campaign()
    came(NOON)
    assert enrol(NOON + 5 * DAY) <= 13
    enrol(NOON + 5 * DAY + 11 * HOUR)
    assert Enrolment.objects.count() == 1 + 24


def test_the_trigger_says_who_comes_first_and_each_comes_once():
    campaign(existing_a_day=1000)
    came(NOON + 5 * HOUR)
    names = Contact.objects.filter(enrolments__isnull=False)
    assert names.count() == Enrolment.objects.count() == 60
    first = Enrolment.objects.order_by("entered_at", "pk").values_list("contact__first_name", flat=True)[0]
    assert first == "Person9"


def test_without_a_number_the_campaign_looks_forward_only():
    campaign(existing_a_day=None)
    assert came(NOON + DAY, every=6 * HOUR)[-1] == 0


def test_their_decision_says_so_and_their_message_is_not_late():
    campaign(expires_after=HOUR)
    run(NOON)
    decision = Decision.objects.get(verdict=Decision.Verdict.ENTERED)
    assert decision.reason == "qualified_before"
    assert decision.words == (
        "Entered: has a name. Qualified before the launch; so many are let in a day: 24."
    )
    assert Delivery.objects.get().due_at == NOON


def test_a_paused_campaign_lets_none_of_them_in():
    campaign(state=Campaign.State.PAUSED)
    assert came(NOON + HOUR)[-1] == 0


def test_a_day_of_a_clock_change_is_as_full_as_any_other():
    # 29 March 2026 has 23 hours in Amsterdam.
    begin = datetime(2026, 3, 28, 23, tzinfo=UTC)
    campaign(launched_at=begin - DAY)
    assert came(begin + 22 * HOUR, begin)[-1] == 23
    enrol(begin + 23 * HOUR - MINUTE)
    assert Enrolment.objects.count() == 24
