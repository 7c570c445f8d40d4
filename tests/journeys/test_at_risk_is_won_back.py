"""Ana, Boris and Dana bought every month and fell silent. The day they are at risk they hear what is new, a
week later they get a code of their own. Ana buys with it. Boris looked in before, so his code comes a week
later. Dana does neither: she gets the last call, is lost, is asked whether we shall go on, and is left
alone.
"""

from datetime import timedelta

import pytest

from campaigns.models import Coupon, Decision
from crm.kernel import timeline
from crm.models import ConsentState, Standing
from tests.journeys.shopfloor import DAY, MINUTE, World, comes_by, endings, opened, person, text_of

NEWS, OFFER, LAST = "{}, it has been a while", "10 % off for you, if you like", "Shall I leave you in peace?"
STAY, GOODBYE = "Shall we keep writing to you?", "This is our last message"


@pytest.fixture
def world(transactional_db):
    with opened() as world:
        yield world


def test_the_story(world: World):
    people = {name: world.knows(name) for name in ("ana", "boris", "dana")}
    world.later(MINUTE)
    for month in range(4):
        for name in people:
            world.orders(name, f"{name}-{month}", "amp")
        if month < 3:
            world.later(30 * DAY)
    world.later(MINUTE)
    offer = world.mia.makes_offer("Come back", skip_hunters="on", rung="1")
    world.mia.launches("at_risk", offer)
    world.mia.launches("sunset")
    world.until("ana", "cooling")
    assert not world.sink.arrivals, "cooling is not yet at risk"

    world.until("ana", "at_risk")
    world.morning()
    heard_at = world.hand.at
    assert [world.subjects(name) for name in people] == [[NEWS.format(name.title())] for name in people]
    entered = Decision.objects.get(verdict="entered", contact=person("ana")).evidence
    assert entered["since"] == Standing.objects.get(contact=person("ana")).since.isoformat()
    world.later(5 * DAY)
    people["boris"].tell("page", title="News")
    world.later(2 * DAY)
    assert [world.subjects(name)[1:] for name in people] == [[OFFER], [], [OFFER]], "he was here this week"
    letter = world.mail_to("ana")[1]
    code = Coupon.objects.get(contact_id=person("ana").pk).code
    assert code in text_of(letter) and code not in text_of(world.mail_to("dana")[1]), "a code of her own"

    comes_by(people["ana"], letter)
    world.orders("ana", "ana-9", "amp", coupon=code)
    world.later(10 * MINUTE)
    assert Coupon.objects.get(code=code).state == Coupon.State.USED
    assert Standing.objects.get(contact=person("ana")).state == "active"
    world.later(7 * DAY)
    assert world.subjects("boris")[1:] == [OFFER]
    world.later(heard_at + 21 * DAY + 10 * MINUTE - world.hand.at)
    assert world.subjects("dana")[2:] == [LAST] and world.mailed("ana") == [2]
    assert endings("ana") == ["purchased"]

    world.until("dana", "lost")
    world.morning()
    assert world.subjects("dana")[3:] == [STAY]
    comes_by(people["boris"], world.mail_to("boris")[-1])
    for days in (14, 7):
        world.later(days * DAY + timedelta(minutes=5))
    assert world.subjects("dana")[4:] == [GOODBYE]
    assert GOODBYE not in world.subjects("boris"), "he came back when he was asked"
    states = ConsentState.objects.filter(purpose__kind="marketing")
    assert not states.filter(address_hash__in=_hashes("dana"), may_send=True).exists()
    assert states.filter(address_hash__in=_hashes("boris"), may_send=True).exists()
    told = [entry.title for entry in timeline.read(person("dana").pk).entries]
    assert any("expired" in title.lower() for title in told), told


def _hashes(name: str) -> list[bytes]:
    return [bytes(one) for one in person(name).points.values_list("address_hash", flat=True)]
