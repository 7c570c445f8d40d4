"""One broadcast, ten o'clock where each person lives: from Auckland to Honolulu, once each; not to whoever
has just bought or came after their hour. Clocks change in Berlin that morning. Three days later it goes
once more to those who did not click.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from campaigns.models import Decision
from tests.journeys.shopfloor import DAY, HOUR, MINUTE, World, comes_by, opened

MORNING = datetime(2026, 3, 27, 9, 0, tzinfo=UTC)
TEN = datetime(2026, 3, 29, 10)
LIVES = {
    "ana": "Pacific/Auckland",
    "boris": "Europe/Berlin",
    "chen": "",
    "dana": "America/New_York",
    "eva": "Pacific/Honolulu",
}
SHOP_ZONE = "Asia/Shanghai"
NEWS = ("New in the shop", "{}, have you seen these?")
SENDING = ("tracking.ingest", "crm.segments", "campaigns.trigger", "campaigns.advance", "campaigns.deliver")
AGAIN = "In case you missed it: what is new"


@pytest.fixture
def world(transactional_db):
    with opened(MORNING) as world:
        yield world


def test_the_story(world: World):
    others = dict.fromkeys(("finn", "gus"), "Europe/Berlin")
    people = {name: world.knows(name) for name in (*LIVES, "finn")}
    world.later(MINUTE)
    world.shop.contacts(
        *[{"email": f"{name}@example.com", "time_zone": zone} for name, zone in (LIVES | others).items()]
    )
    for browser in people.values():
        browser.tell("page", title="Home")
    world.later(HOUR)
    world.mia.launches("broadcast", **{"trigger--campaigns-on_date-at": f"{TEN:%Y-%m-%dT%H:%M}"})
    world.orders("finn", "o-1", "amp")
    first, last = _ten("Pacific/Auckland"), _ten("Pacific/Honolulu")
    world.later(first - world.hand.at - HOUR)
    arrived: dict[str, list[datetime]] = {}
    while world.hand.at < last + 2 * HOUR:
        before = len(world.sink.arrivals)
        world.later(HOUR, SENDING)
        for one in world.sink.arrivals[before:]:
            arrived.setdefault(one.to.partition("@")[0], []).append(world.hand.at)
        if world.hand.at == _ten("Europe/Berlin") + HOUR:
            people["gus"] = world.knows("gus")
    assert arrived == {name: [_ten(zone or SHOP_ZONE)] for name, zone in LIVES.items()}
    for name in LIVES:
        [subject] = world.subjects(name)
        assert subject in (NEWS[0], NEWS[1].format(name.title())), "one of two, compared"
    entered = Decision.objects.filter(verdict="entered")
    assert {row.evidence["zone"] for row in entered} == {zone or SHOP_ZONE for zone in LIVES.values()}

    comes_by(people["dana"], world.mail_to("dana")[0])
    world.later(2 * DAY)
    for _ in range(6):
        world.later(DAY / 4, SENDING)
    again = {name for name in people if AGAIN in world.subjects(name)}
    assert again == set(LIVES) - {"dana"}, "not to who clicked"
    assert world.mailed("finn", "gus") == [0, 0]


def _ten(zone: str) -> datetime:
    return TEN.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
