"""Ana orders for the first time: she is thanked at once, and asked how it is a week later. Boris sends his
order back in between and is not asked; Chen has ordered before and is not thanked for a first order.
"""

from collections.abc import Iterator

import pytest

from campaigns.models import Enrolment
from tests.journeys.shopfloor import DAY, MINUTE, World, opened, play, text_of

THANKS = (
    "Thank you for order {{ order.number }}",
    "{% for line in order.lines %}{{ line.quantity }} x {{ line.name }}\n{% endfor %}"
    "{{ order.total | money: order.currency }}",
)
REVIEW = ("How is it?", "You have had {{ order.lines[0].name }} for a week.")


@pytest.fixture
def world(transactional_db) -> Iterator[World]:
    with opened() as world:
        yield world


def orders(world: World, name: str, number: str, **more: object) -> None:
    line = {"product_id": "amp", "name": "Amp", "unit_price": "399.00", "quantity": 1}
    usual = {"id": number, "number": number, "total": "399.00", "currency": "EUR", "lines": [line]}
    world.shop.order(email=f"{name}@example.com", **(usual | more))


def test_the_story(world: World):
    for name in ("ana", "boris", "chen"):
        world.knows(name)
    world.later(MINUTE)
    orders(world, "chen", "1")
    world.later(DAY)
    params = {"which": "first", "days": "0"}
    play("ordered", params, THANKS, 7, REVIEW, reentry_days=365, exit_on_purchase=False)
    world.later(MINUTE)
    for name, number in (("ana", "2"), ("boris", "3"), ("chen", "4")):
        orders(world, name, number)
    world.later(MINUTE)
    assert world.mailed("ana", "boris", "chen") == [1, 1, 0]
    [message] = world.mail_to("ana")
    assert message["Subject"] == "Thank you for order 2"
    assert "1 x Amp" in text_of(message) and "€399.00" in text_of(message)

    world.days(2)
    orders(world, "boris", "3", status="refunded", refunded="399.00")
    orders(world, "ana", "5")
    world.days(5)
    world.later(MINUTE)
    assert world.mailed("ana", "boris", "chen") == [2, 1, 0]
    assert world.mail_to("ana")[1]["Subject"] == "How is it?"
    assert "You have had Amp for a week" in text_of(world.mail_to("ana")[1])
    left = Enrolment.objects.get(contact__email="boris@example.com").left_reason
    assert left == "order_refunded"
    world.days(3)
    assert world.mailed("ana", "boris", "chen") == [2, 1, 0]


@pytest.mark.proof
def test_an_order_told_twice_and_late_is_thanked_for_once(world: World):
    world.knows("ana")
    play("ordered", {"which": "any", "days": "0"}, THANKS, reentry_days=0, exit_on_purchase=False)
    world.later(MINUTE)
    for _ in range(2):
        orders(world, "ana", "7")
        world.later(MINUTE)
    placed = world.hand.at - 20 * DAY
    orders(world, "ana", "6", placed_at=placed.isoformat())
    world.later(MINUTE)
    assert world.mailed("ana") == [1], "an order of three weeks ago is not thanked for today"
