"""What a message shows is true when it leaves: whatever changes of a product between the rendering and the
fence, the message is made anew, or held back where nothing true is left to show.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes, policy

import pytest

from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import fence, refusals
from campaigns.delivery.preparing import prepared
from campaigns.messages import editing
from campaigns.models import Decision, Delivery, DeliveryAttempt, Template
from crm.models import Product
from crm.shop.products import ProductIn, record_products
from tests.campaigns import mailing, shelves
from tests.races.test_nothing_leaves_after import raced  # noqa: F401 - a fixture
from tests.sink.smtp import SmtpSink
from tracking.models import CartLine

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

AFTER = mailing.AT - timedelta(seconds=1)
BLOCKS = [
    {"kind": "campaigns.text", "params": {"words": "Have a look.", "align": "left"}},
    {
        "kind": "campaigns.recommendations",
        "params": {"sort": "best", "title": "Best", "number": 2, "look": "list"},
    },
    {"kind": "campaigns.footer", "params": {"because": "You agreed to this."}},
]


def letter(blocks=BLOCKS) -> Template:
    template = Template.objects.create(name="Best sellers")
    editing.save_version(
        template, subject="For you", preheader="", blocks=blocks, by=None, now=mailing.OPENED
    )
    return template


def once(change) -> object:
    """Runs `change` when the first group stands before the fence."""
    done = []

    def commit(waiting: Sequence[Delivery]) -> None:
        if not done:
            done.append(True)
            change()

    return commit


def told(name: str, **said) -> object:
    return lambda: record_products([ProductIn(name, source_at=AFTER, **said)], AFTER, source="script")


def texts(sink: SmtpSink) -> list[str]:
    mails = [message_from_bytes(one.raw or b"", policy=policy.default) for one in sink.accepted()]
    return [mail.get_body(("plain",)).get_content() for mail in mails]


@pytest.fixture
def shop():
    # The newest stands first where nothing sells yet: red, green, then blue.
    for age, name in enumerate(("red", "green", "blue"), start=100):
        shelves.product(name, age=age)


CHANGES = {
    "sold out": (told("red", stock=0), {"green", "blue"}, "10.00"),
    "withdrawn": (told("red", is_active=False), {"green", "blue"}, "10.00"),
    "another price": (told("red", price=Decimal("12.34")), {"red", "green"}, "12.34"),
    "another page": (
        told("red", url="https://shop.test/p/rouge"),
        {"red", "green"},
        "https://shop.test/p/rouge",
    ),
    "deleted": (lambda: Product.objects.filter(name="red").delete(), {"green", "blue"}, "10.00"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_product_that_changes_before_the_fence_is_told_anew_in_every_message(raced, shop, what):  # noqa: F811
    change, names, words = CHANGES[what]
    mailing.queue(60, template=letter())
    sink = raced(once(change), seconds=120)
    found = texts(sink)
    assert len(found) == 60 and set(sink.copies().values()) == {1}
    for text in found:
        assert {name for name in ("red", "green", "blue") if f"\n{name}:" in text} == names
        assert words in text
    shown = {Product.objects.get(name=name).pk for name in names}
    assert all(shown <= set(one.products) for one in Delivery.objects.all())


def test_what_a_message_does_not_show_changes_nothing(raced, shop):  # noqa: F811
    for number in range(8):
        shelves.product(f"other-{number}", age=200 + number)
    mailing.queue(10, template=letter())
    attempts = []
    raced(lambda waiting: (attempts.append(len(waiting)), once(told("other-7", price=Decimal(1)))(waiting)))
    assert sum(attempts) == 10
    assert Delivery.objects.filter(state="sent").count() == 10


def with_goods(count: int) -> list[Delivery]:
    queued = mailing.queue(count, with_carts=True)
    things = [shelves.product(f"Thing {number}", price=Decimal(40)) for number in range(count)]
    for delivery, thing in zip(queued, things, strict=True):
        CartLine.objects.filter(cart=delivery.subject_id).update(product=thing, name=thing.name)
    return queued


def test_a_cart_whose_every_line_is_sold_out_is_held_back_and_says_why(raced):  # noqa: F811
    queued = with_goods(30)
    gone = queued[:12]

    def sell_out() -> None:
        words = [ProductIn(f"Thing {number}", in_stock=False, source_at=AFTER) for number in range(12)]
        record_products(words, AFTER, source="script")

    sink = raced(once(sell_out))
    assert set(sink.copies()) == {str(one.public_id) for one in queued[12:]}
    assert (
        Delivery.objects.filter(state="skipped", reason="sold_out", pk__in=[one.pk for one in gone]).count()
        == 12
    )
    assert Decision.objects.filter(words="Everything in the cart is sold out.").count() == 12
    assert DeliveryAttempt.objects.count() == 18


def test_a_line_sold_out_among_others_is_marked_and_the_rest_leaves(raced):  # noqa: F811
    [delivery] = with_goods(1)
    other = shelves.product("Second", price=Decimal(5))
    line = CartLine.objects.get(cart=delivery.subject_id)
    CartLine.objects.create(
        contact=line.contact, cart=line.cart, product=other, name="Second", position=1, price=Decimal(5)
    )
    assert raced(once(told("Thing 0", stock=0))).accepted() == []
    [text] = texts(raced(lambda waiting: None))
    assert "Thing 0 (sold out for now)" in text and "Second (sold out" not in text


def test_a_cart_line_is_told_at_what_the_shop_asks_now(raced):  # noqa: F811
    with_goods(1)
    assert raced(once(told("Thing 0", price=Decimal(55)))).accepted() == []
    [text] = texts(raced(lambda waiting: None))
    assert text.count("55.00") == 3 and "40.00" not in text


def test_the_fence_sees_a_change_that_was_recorded_before_and_committed_after(shop):
    """The change carries an older instant than the message: it counts all the same."""
    mailing.queue(1, template=letter())
    [one] = claim("email", mailing.AT, 10)
    prepared([one], mailing.AT)
    early = mailing.AT - timedelta(hours=1)
    record_products([ProductIn("red", price=Decimal(3), source_at=early)], early, source="script")
    assert [why.reason for why in refusals([one], mailing.AT)] == ["product_changed"]
    assert fence([one], mailing.AT) == set()
