"""One broadcast, ten o'clock where each person lives: from Auckland to Honolulu, once each; not to whoever
has just bought or joined after their hour. Clocks change in Berlin that morning.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from campaigns.models import Decision
from crm.models import Segment
from tests.journeys.stories import World, launched, opened, send
from tests.office import logged_in, user

MORNING = datetime(2026, 3, 27, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEN = datetime(2026, 3, 29, 10)
LIVES = {
    "ana": "Pacific/Auckland",
    "boris": "Europe/Berlin",
    "chen": "",
    "dana": "America/New_York",
    "eva": "Pacific/Honolulu",
}
SHOP_ZONE = "Asia/Shanghai"
JUST_BOUGHT = {"none": [{"kind": "crm.ordered", "params": {"times": "1", "within_days": "3"}}]}


@pytest.fixture
def world(transactional_db):
    with opened(MORNING) as world:
        yield world


def customer(name: str, zone: str = "") -> dict[str, object]:
    agreed = {"purpose": "newsletter", "action": "granted", "wording": "Send me the news"}
    return {"email": f"{name}@example.com", "time_zone": zone, "consents": [agreed]}


def test_the_story(world: World):
    others = dict.fromkeys(("finn", "gus"), "Europe/Berlin")
    world.shop.contacts(*[customer(name, zone) for name, zone in (LIVES | others).items()])
    mia = logged_in(user("mia", is_superuser=True))
    segment = _list_of(mia, [*LIVES, "finn"])
    world.later(HOUR)
    launched(
        "Spring is here",
        world.hand.at,
        {"campaigns.on_date": {"segment": segment, "at": "2026-03-29T10:00", "zone": "person"}},
        send("Spring is here"),
        entry_rule=JUST_BOUGHT,
        exit_on_purchase=False,
    )
    world.orders("finn", "o-1", "lamp")
    first, last = _ten("Pacific/Auckland"), _ten("Pacific/Honolulu")
    world.later(first - world.hand.at - HOUR)
    arrived: dict[str, list[datetime]] = {}
    while world.hand.at < last + 2 * HOUR:
        before = len(world.sink.arrivals)
        world.later(HOUR)
        for one in world.sink.arrivals[before:]:
            arrived.setdefault(one.to.partition("@")[0], []).append(world.hand.at)
        if world.hand.at == _ten("Europe/Berlin") + HOUR:
            _add(mia, segment, "gus")
    assert arrived == {name: [_ten(zone or SHOP_ZONE)] for name, zone in LIVES.items()}
    world.later(2 * DAY)
    assert len(world.sink.arrivals) == len(LIVES)
    entered = Decision.objects.filter(verdict="entered")
    assert {row.evidence["zone"] for row in entered} == {zone or SHOP_ZONE for zone in LIVES.values()}


def _ten(zone: str) -> datetime:
    return TEN.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _list_of(office, names):
    """Mia makes a list in the admin and pastes the addresses."""
    office.post(f"{reverse('admin:crm_segment_add')}?kind=fixed", {"name": "Spring"})
    made = str(Segment.objects.get(name="Spring").pk)
    _add(office, made, *names)
    return made


def _add(office, segment, *names):
    pasted = "\n".join(f"{name}@example.com" for name in names)
    office.post(reverse("admin:crm_segment_people", args=[segment]), {"do": "add", "addresses": pasted})
