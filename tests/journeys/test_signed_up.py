"""Ana signs up by the shop's form and says her birthday: she is welcomed at once, led to where to begin
three days later, wished a happy birthday on the day, and on the first of the month shown what is new in
what she likes. Boris signs up and buys: from then on he belongs to the play after an order.
"""

from datetime import UTC, datetime

import pytest

from campaigns.models import Enrolment
from tests.journeys.shopfloor import DAY, MINUTE, World, endings, looks, opened, person, text_of

MORNING = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
WELCOME, BEGIN = "Welcome, {}. What to expect from us", "Where to begin"
BIRTHDAY, NEW = "Happy birthday, Ana", "New in what you like"
SIGNED_UP = {"purpose": "newsletter", "action": "granted", "wording": "Send me the news"}


@pytest.fixture
def world(transactional_db):
    with opened(MORNING) as world:
        yield world


def test_the_story(world: World):
    for play in ("welcome", "birthday", "new_in_your_brands"):
        world.mia.launches(play)
    world.later(MINUTE)
    ana, boris = world.knows("ana"), world.knows("boris")
    looks(ana, "amp", "fjord-40")
    world.later(MINUTE)
    for name in ("ana", "boris"):
        assert world.subjects(name) == [WELCOME.format(name.title())]
    assert "You can stop it" in text_of(world.mail_to("ana")[0])
    looks(boris, "amp")
    world.later(DAY)
    world.orders("boris", "1", "amp")
    world.mia.fills(_page_of("ana"), own_birthday="1990-03-20")
    world.later(2 * DAY + MINUTE)
    assert world.subjects("ana")[1:] == [BEGIN] and world.mailed("boris") == [1]
    assert endings("boris") == ["purchased"]

    world.later(datetime(2026, 3, 20, 1, 1, tzinfo=UTC) - world.hand.at)
    assert world.subjects("ana")[2:] == [BIRTHDAY]
    world.later(datetime(2026, 4, 1, 2, 1, tzinfo=UTC) - world.hand.at)
    assert world.subjects("ana")[3:] == [NEW] and world.subjects("boris")[1:] == [NEW]
    assert not Enrolment.objects.filter(state="active", contact=person("ana")).exists()


def _page_of(name: str) -> str:
    return f"/admin/crm/contact/{person(name).pk}/change/"
