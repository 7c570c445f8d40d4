"""Ana has not bought for two weeks and not been here for one: she is missed, comes back by the message, and
hears no more of it. Boris was here this week. Chen bought. Dana stays away and gets the second message.
"""

import pytest

from campaigns.models import Decision
from tests.journeys.shopfloor import DAY, MINUTE, World, comes_by, endings, opened, person, text_of

NEWS, BEST = "{}, this is new since you were here", "What others like best just now"


@pytest.fixture
def world(transactional_db):
    with opened() as world:
        yield world


def test_the_story(world: World):
    ana, boris, *_ = map(world.knows, ("ana", "boris", "chen", "dana", "eva"))
    world.later(MINUTE)
    for number, name in enumerate(("ana", "boris", "chen", "dana")):
        world.orders(name, f"o-{number}", "amp")
    world.later(10 * MINUTE)
    world.mia.makes_offer("Spring days", place="site", codes="shared", shared_code="SPRING", code_source="")
    world.mia.launches("we_miss_you")
    world.later(9 * DAY)
    boris.tell("page", title="Amps")
    world.orders("chen", "o-9", "cable-3")
    world.later(4 * DAY)
    assert not world.sink.arrivals, "nobody has been away for long enough"

    world.later(DAY)
    for name in ("ana", "dana", "eva"):
        assert world.subjects(name) == [NEWS.format(name.title())], "Eva registered and never bought"
    assert "SPRING" in text_of(world.mail_to("ana")[0]), "what the site has on for everybody"
    assert world.subjects("boris") == world.subjects("chen") == []
    why = Decision.objects.get(contact=person("ana"), verdict="entered")
    assert why.evidence["last_order_at"][:10] == "2026-03-02"

    comes_by(ana, world.mail_to("ana")[0])
    world.orders("eva", "o-10", "amp")
    world.later(2 * DAY)
    assert world.subjects("boris") == [NEWS.format("Boris")], "a week after his visit"
    world.later(5 * DAY)
    assert world.subjects("dana")[1:] == [BEST]
    assert world.subjects("ana")[1:] == world.subjects("eva")[1:] == []
    assert (endings("ana"), endings("eva")) == (["exit_rule"], ["purchased"])

    for _ in range(6):
        world.later(5 * DAY)
    assert world.mailed("dana") == [2], "nobody is missed again within sixty days"
