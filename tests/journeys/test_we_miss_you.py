"""Ana has not bought for two weeks and not been here for one: she is missed, comes back by the message, and
hears no more of it. Boris was here this week. Chen bought. Dana stays away and gets the second message.
"""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.models import Decision, Enrolment
from crm.models import Contact
from tests.journeys.stories import World, launched, opened, send, wait

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MISSED = {"campaigns.no_purchase": {"days": "14", "unseen_days": "7"}}
CAME_BACK = {"any": [{"kind": "tracking.did_since_entering", "params": {"event": "page", "times": "1"}}]}


@pytest.fixture
def world(transactional_db):
    with opened(MORNING) as world:
        yield world


def test_the_story(world: World):
    ana, boris, *_ = map(world.knows, ("ana", "boris", "chen", "dana", "eva"))
    world.later(MINUTE)
    for number, name in enumerate(("ana", "boris", "chen", "dana")):
        world.orders(name, f"o-{number}", "lamp")
    world.later(10 * MINUTE)
    launched(
        "We miss you",
        world.hand.at,
        MISSED,
        send("What is new since you were here", "New lamps have come."),
        wait(7),
        send("What others like best", "The lamps people bought most."),
        exit_rule=CAME_BACK,
        reentry_days=60,
    )
    world.later(9 * DAY)
    boris.tell("page", title="Lamps")
    world.orders("chen", "o-9", "shade")
    world.later(4 * DAY)
    assert not world.sink.arrivals, "nobody has been away for long enough"

    world.later(DAY)
    assert world.subjects("ana") == world.subjects("dana") == ["What is new since you were here"]
    assert world.subjects("eva") == ["What is new since you were here"], "she registered and never bought"
    assert world.subjects("boris") == world.subjects("chen") == []
    why = Decision.objects.get(contact__email="ana@example.com", verdict="entered")
    assert why.evidence["last_order_at"][:10] == "2026-03-02"

    world.comes_by(ana, world.mail_to("ana")[0])
    world.orders("eva", "o-10", "lamp")
    world.later(2 * DAY)
    assert world.subjects("boris") == ["What is new since you were here"], "a week after his visit"
    world.later(5 * DAY)
    assert world.subjects("dana")[1:] == ["What others like best"]
    assert world.subjects("ana")[1:] == world.subjects("eva")[1:] == []
    ended = Enrolment.objects.filter(contact__email="ana@example.com").values_list("left_reason", flat=True)
    assert list(ended) == ["exit_rule"]

    for _ in range(6):
        world.later(5 * DAY)
    assert len(world.mail_to("dana")) == 2, "nobody is missed again within sixty days"
    assert Contact.objects.count() == 5
