"""A message that loses its moment joins the one that goes first: its products come along, and nothing of it
is sent, lost, or said twice.
"""

from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.delivery import joining, outbox
from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import fence, refusals
from campaigns.delivery.preparing import prepared
from campaigns.delivery.settling import Settlement, of_refusals, settle
from campaigns.flows import journeys
from campaigns.flows.kinds import Entrant
from campaigns.messages import rendering
from campaigns.models import (
    Campaign,
    Delivery,
    Due,
    Enrolment,
    Joining,
    OfferSlot,
    Template,
    TemplateVersion,
)
from campaigns.results.steps import at_steps
from crm.models import ConsentState, Product, Purpose
from tests.campaigns import mailing, shelves
from tests.campaigns.flows.stage import SEND, advance, buy
from tests.campaigns.gatehouse import AT, DAY, HOUR, MINUTE, by_hand, put_in, said_of, writes
from tests.campaigns.offers.shelf import codes, offer
from tracking.models import Cart, CartLine

pytestmark = pytest.mark.django_db

PLACE = "{% for one in also.products %}[{{ one.name }}]{% endfor %}"
ITS_CART = "{% for line in cart.lines %}{{ line.name }}{% endfor %}"
BUYERS = {"all": [{"kind": "crm.ordered", "params": {"times": "1"}}]}
SOON = joining.LOOKS_AGAIN


@pytest.fixture(autouse=True)
def nobody_enters_by_themselves(settings):
    settings.REKINDLE_SAFE_SINK = True
    with by_hand():
        yield


@pytest.fixture
def ana():
    return mailing.people(1, Purpose.objects.get(key="cart_recovery"))[0]


def says(campaign: Campaign, words: str) -> Campaign:
    """Its message has this wording."""
    template = Template.objects.create(name=f"Of {campaign}")
    written = {"subject": "Hello", "mjml": words, "html": f"<p>{words}</p>", "text": words}
    template.current = TemplateVersion.objects.create(template=template, number=1, **written)
    template.save()
    campaign.current.steps.update(template=template)
    return campaign


def news(words: str = PLACE) -> Campaign:
    return says(writes("News"), words)


def carts(step=SEND, **changes) -> Campaign:
    """Left carts, whose products join other messages: the second message, as the first waits for nobody."""
    usual = {"when_beaten": "join", "exit_on_purchase": True, "expires_after": DAY}
    first = SEND | {"only_if": BUYERS}
    return says(writes(changes.pop("name", "Carts"), first, step, **(usual | changes)), ITS_CART)


def left(contact, *names: str) -> Cart:
    cart = Cart.objects.create(
        contact=contact,
        token=f"t-{contact.pk}",
        currency="EUR",
        item_count=len(names),
        has_priced_line=True,
        opened_at=AT - HOUR,
        changed_at=AT - HOUR,
        recorded_at=AT - HOUR,
    )
    for place, name in enumerate(names):
        product = Product.objects.filter(name=name).first() or shelves.product(name)
        line = {"name": name, "product": product, "external_id": name, "price": 10, "position": place}
        CartLine.objects.create(contact=contact, cart=cart, **line)
    return cart


def lose(campaign, contact, at=AT) -> None:
    """A message about a cart is due while another one is on its way."""
    about = left(contact, "Amp", "Cable")
    entrant = Entrant(contact.pk, "cart", at, subject_kind="cart", subject_id=about.pk)
    journeys.enter(campaign, [entrant], at)
    advance(at)


@contextmanager
def elsewhere():
    """A transaction of another process."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
        yield other
        # By a statement: what a closed connection held is let go some time after it was closed.
        with other.cursor() as cursor:
            cursor.execute("ROLLBACK")
    finally:
        other.close()


def make(at=AT) -> tuple[Delivery, str]:
    """The one message in the queue, claimed and made; what it says."""
    [one] = claim("email", at, 10)
    ready, _problems = prepared([one], at)
    return one, ready[one.pk].html if one.pk in ready else ""


def ends(one: Delivery, state: str, at=AT) -> None:
    settle([Settlement(one, state, fenced=state != "skipped")], at)


@pytest.fixture
def both(ana):
    """News on its way to Ana, and a message about her cart that gives way to it."""
    one, other = news(), carts()
    put_in(one, ana)
    advance(AT)
    lose(other, ana)
    return one, other


def test_its_products_come_along_and_its_run_goes_on_as_if_they_had_been_sent(both, ana):
    _, other = both
    said = "“News” is on its way to them; at most one e-mail in 20 hours. "
    said += "It joins the next message that has a place for it, or waits for its turn."
    assert said_of(other) == [("waited", "frequency", said)]
    one, html = make()
    assert "[Amp][Cable]" in html
    assert fence([one], AT)
    advance(AT + SOON)
    assert Enrolment.objects.get(campaign=other).state == "active"  # it has not left yet
    ends(one, "sent")
    advance(AT + 2 * SOON)
    assert said_of(other)[1:] == [("joined", "joined", "Joined the message of “News”: Amp and 1 more.")]
    assert Enrolment.objects.get(campaign=other).state == "finished"
    assert Delivery.objects.count() == 1
    assert not Joining.objects.exists()
    assert not Due.objects.exists()
    told = at_steps(other, AT).by_key["step-2"]
    assert (told.sent, told.joined) == (0, 1)


def test_a_preview_shows_what_would_come_along_and_takes_nothing(both, ana):
    version = TemplateVersion.objects.get(template__name="Of News")
    assert rendering.preview(version, ana, AT).html == "<p>[Amp][Cable]</p>"
    assert Joining.objects.get().joined is None
    buy(ana, AT)
    assert rendering.preview(version, ana, AT).html == "<p></p>"


def test_what_the_message_recommends_is_not_what_joined_it(ana):
    one = news(PLACE + "{% for one in recommend.fresh %}({{ one.name }}){% endfor %}")
    shelves.shelf("Amp Horn")
    put_in(one, ana)
    advance(AT)
    lose(carts(), ana)
    assert make()[1] == "<p>[Amp][Cable](Horn)</p>"


def test_of_a_message_whose_delivery_is_unconfirmed_nothing_is_said_twice(both):
    _, other = both
    one, _ = make()
    fence([one], AT)
    ends(one, "unknown")
    advance(AT + SOON)
    assert said_of(other)[-1][0] == "joined"


@pytest.mark.parametrize("state", ["skipped", "failed"])
def test_where_the_message_does_not_leave_the_loser_waits_on_and_gets_its_turn(both, state):
    _, other = both
    one, _ = make()
    if state == "failed":
        fence([one], AT)
    ends(one, state)
    advance(AT + SOON)
    verdicts = [verdict for verdict, _, _ in said_of(other)]
    assert verdicts == ["waited", "waited", "queued"]
    assert said_of(other)[1][2] == "The message of “News” that it had joined has not left."
    assert [one.campaign for one in mailing.queued()] == [other]


def test_a_sender_that_dies_leaves_nothing_joined_and_the_next_takes_it_in_anew(both):
    one, _ = make()
    Delivery.objects.update(lease_until=AT - DAY)
    assert outbox.reap() == 1
    assert Joining.objects.get().lease_seen == one.lease_token
    again, html = make()
    assert "[Amp]" in html
    assert Joining.objects.get().lease_seen == again.lease_token != one.lease_token


def test_a_run_that_is_asked_while_nobody_has_the_message_in_hand_has_joined_nothing(both):
    _, other = both
    make()
    Delivery.objects.update(lease_until=AT - DAY)
    outbox.reap()
    advance(AT + SOON)
    assert said_of(other)[1][:2] == ("waited", "not_joined")
    assert Joining.objects.get().joined is None
    assert Enrolment.objects.get(campaign=other).state == "active"


def over(what, other, ana) -> None:
    """Something happens after the message was made."""
    if what == "bought":
        buy(ana, AT)
    elif what == "consent":
        ConsentState.objects.filter(purpose=other.purpose).update(may_send=False)
    elif what == "paused":
        Campaign.objects.filter(pk=other.pk).update(state="paused")
    elif what == "emptied":
        Cart.objects.update(state="emptied", has_priced_line=False)
    elif what == "too late":
        Joining.objects.update(not_after=AT)
    else:
        Due.objects.filter(campaign=other).delete()


@pytest.mark.parametrize("what", ["bought", "consent", "paused", "emptied", "too late", "gone"])
def test_what_is_over_as_the_message_leaves_does_not_leave_with_it(ana, what):
    sale = Purpose.objects.create(key="sale", name="Sale", kind="marketing", channels=["email"])
    one, other = news(), carts(purpose=sale)
    ConsentState.objects.create(
        address_hash=ana.points.get().address_hash,
        channel="email",
        purpose=sale,
        may_send=True,
        status="granted",
        since=AT - DAY,
    )
    put_in(one, ana)
    advance(AT)
    lose(other, ana)
    message, html = make()
    assert "[Amp]" in html
    over(what, other, ana)
    assert not fence([message], AT)
    found = refusals([message], AT)
    assert [(no.guard.verdict, no.reason) for no in found] == [("requeue", "joined_is_over")]
    settle(of_refusals(found, {message.pk: message}, AT), AT)
    message, html = make()
    assert "[Amp]" not in html
    assert fence([message], AT)


def test_what_sells_out_after_the_message_was_made_is_left_out_of_it(both):
    message, _ = make()
    Product.objects.filter(name="Amp").update(in_stock=False, changed_at=AT + MINUTE)
    assert not fence([message], AT)
    settle(of_refusals(refusals([message], AT), {message.pk: message}, AT), AT)
    assert "<p>[Cable]</p>" in make()[1]


def test_a_message_without_a_place_takes_in_nothing(ana):
    one, other = news("Hello"), carts()
    put_in(one, ana)
    advance(AT)
    lose(other, ana)
    make()
    assert Joining.objects.get().joined is None


def test_a_message_that_nobody_counts_as_advertising_takes_in_nothing(both):
    Delivery.objects.update(counts=False)
    assert "[Amp]" not in make()[1]


def test_a_message_that_shows_no_products_or_needs_its_offer_waits_as_any_other(ana):
    put_in(news(), ana)
    advance(AT)
    plain = says(writes("Plain", when_beaten="join"), "Hello")
    needing = {"kind": SEND["kind"], "params": {"without_offer": "skip"}}
    gives = carts(needing)
    gives.current.steps.update(offer=offer())
    for campaign in (plain, gives):
        put_in(campaign, ana)
    advance(AT)
    for campaign in (plain, gives):
        assert said_of(campaign)[0][2].endswith(". It waits for its turn.")
    assert not Joining.objects.exists()


def test_what_joins_brings_no_offer_and_takes_no_part_of_the_day(ana):
    one, other = news(), carts()
    shared = offer()
    codes(shared, 3)
    for campaign in (one, other):
        campaign.current.steps.update(offer=shared)
    put_in(one, ana)
    advance(AT)
    lose(other, ana)
    message, html = make()
    assert "[Amp]" in html
    fence([message], AT)
    ends(message, "sent")
    advance(AT + SOON)
    assert said_of(other)[-1][0] == "joined"
    assert OfferSlot.objects.count() == 1


def test_who_finds_nothing_to_join_gets_its_turn_or_is_too_late(ana):
    other = carts(expires_after=2 * HOUR)
    one = news()
    put_in(one, ana)
    advance(AT)
    message, _ = make()
    fence([message], AT)
    ends(message, "sent")
    lose(other, ana, AT + MINUTE)
    assert Due.objects.get().due_at == AT + MINUTE + 2 * HOUR  # till then something else may come
    advance(AT + MINUTE + 2 * HOUR)
    assert said_of(other)[-1][:2] == ("skipped", "frequency")
    assert not Joining.objects.exists()


def test_what_a_run_left_behind_is_forgotten(both):
    assert joining.tidy() == 0
    message, _ = make()
    Due.objects.filter(campaign=both[1]).delete()
    assert joining.tidy() == 0  # the fence has still to see that it is over
    ends(message, "skipped")
    assert joining.tidy() == 1


def test_two_join_one_message_at_most_and_their_products_once(both, ana):
    for name in ("More", "Most"):
        campaign = carts(name=name)
        entrant = Entrant(ana.pk, name, AT, subject_kind="cart", subject_id=Cart.objects.get().pk)
        journeys.enter(campaign, [entrant], AT)
    advance(AT)
    _, html = make()
    assert "<p>[Amp][Cable]</p>" in html
    assert Joining.objects.filter(joined__isnull=False).count() == 2


def test_it_takes_as_many_questions_for_many_people_as_for_one():
    purpose = Purpose.objects.get(key="cart_recovery")
    one, other = news(), carts()
    asked = []
    for number, first in ((1, 1), (8, 100)):
        people = mailing.people(number, purpose, first=first)
        put_in(one, *people)
        advance(AT)
        for person in people:
            lose(other, person)
        claimed = claim("email", AT, 10)
        with CaptureQueriesContext(connection) as queries:
            prepared(claimed, AT)
        asked.append(len(queries))
        assert (
            Joining.objects.filter(joined__in=[delivery.public_id for delivery in claimed]).count() == number
        )
    assert asked[0] == asked[1]


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_being_moved_on_at_this_moment_is_left_alone(both):
    """A message made with its products is lost with its sender; made anew it does without them, and then the
    run has joined nothing.
    """
    key = Joining.objects.get().pk
    make()
    Delivery.objects.update(lease_until=AT - DAY)
    outbox.reap()
    with elsewhere() as other, other.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
        cursor.execute("SELECT 1 FROM campaigns_due WHERE enrolment_id = %s FOR NO KEY UPDATE", [key])
        message, html = make()
    assert html == "<p></p>"
    fence([message], AT)
    ends(message, "sent")
    advance(AT + SOON)
    assert said_of(both[1])[1][:2] == ("waited", "not_joined")
    assert Enrolment.objects.get(pk=key).state == "active"
