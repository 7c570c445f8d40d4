"""The sample year in the database, and its removal without trace."""

import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Sum

from campaigns.flows import journeys, planning
from campaigns.models import (
    Campaign,
    Coupon,
    Delivery,
    Enrolment,
    EntryDay,
    Offer,
    Sender,
    Survey,
    SurveyAnswer,
    Template,
)
from config.embedded.sample import history
from config.embedded.sample.catalogue import PRODUCTS
from config.sample import audience, flow, gifts, letters, plans, removal, shop, year
from crm.audience import standing_history
from crm.kernel import clock
from crm.kernel.work import Budget
from crm.models import (
    ConsentEvent,
    ConsentState,
    Contact,
    ContactPoint,
    ContactStatus,
    Engagement,
    LeadDefinition,
    Order,
    OrderLine,
    OutsideId,
    OwnField,
    Product,
    Segment,
    ServerKey,
    ShopRhythm,
    ShopSettings,
    Standing,
    StandingDay,
    Status,
)
from crm.people import consent, engagement
from tracking.models import Cart, CartLine, DailyCount, Event, Visit, Visitor
from tracking.visits import rollups
from tracking.visits.activity import SIGNS_OF_LIFE

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
PEOPLE = 60

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded() -> dict[str, int]:
    shop.open_shop(NOW)
    shop.hire(NOW)
    return year.load(shop.stock_shelves(NOW), NOW, lambda done, of: None, people=PEOPLE)


def test_everybody_and_everything_of_the_year_is_there(loaded: dict[str, int]) -> None:
    lives = list(history.lives(NOW, number=PEOPLE))
    assert Contact.objects.filter(source="sample").count() == PEOPLE == loaded["contacts"]
    assert Order.objects.count() == sum(len(life.orders) for life in lives)
    assert OrderLine.objects.count() == sum(len(order.items) for life in lives for order in life.orders)
    assert Event.objects.count() == sum(len(life.events) for life in lives)
    assert Cart.objects.count() == sum(len(life.carts) for life in lives)
    states = Counter(cart.state for life in lives for cart in life.carts)
    assert dict(Cart.objects.values_list("state").annotate(Count("id"))) == states
    assert ConsentEvent.objects.count() == sum(len(life.consents) for life in lives)
    assert Product.objects.count() == len(PRODUCTS)
    total = sum(order.total for life in lives for order in life.orders)
    assert Order.objects.aggregate(sum=Sum("total"))["sum"] == total


def test_history_was_known_when_it_happened_and_is_marked(loaded: dict[str, int]) -> None:
    for model in (Order, Event):
        assert not model.objects.exclude(recorded_at=F("occurred_at")).exists()
        assert not model.objects.filter(is_backfill=False).exists()
    assert not ConsentEvent.objects.exclude(recorded_at=F("occurred_at"), is_backfill=True).exists()
    assert not Contact.objects.exclude(recorded_at=F("created_at")).exists()


def test_what_belongs_together_is_joined(loaded: dict[str, int]) -> None:
    assert not OrderLine.objects.filter(product=None).exists()
    assert not OrderLine.objects.exclude(contact=F("order__contact")).exists()
    assert not CartLine.objects.exclude(contact=F("cart__contact")).exists()
    bought = Cart.objects.filter(state=Cart.State.BOUGHT)
    orders = dict(Order.objects.values_list("id", "occurred_at"))
    assert bought.exists() and all(orders[cart.order_id] == cart.closed_at for cart in bought)
    outside = OutsideId.objects.filter(kind="order").values_list("object_id", "contact_id")
    assert set(outside) == set(Order.objects.values_list("id", "contact_id"))
    assert not Visitor.objects.exclude(trust=Visitor.Trust.SIGNED).exists()


def test_engagement_is_what_counting_anew_gives(loaded: dict[str, int]) -> None:
    fields = ("contact_id", "order_count", "spent", "last_order_at", "last_seen_at")
    before = set(Engagement.objects.values_list(*fields))
    engagement.recount_orders(Contact.objects.values_list("id", flat=True))
    assert set(Engagement.objects.values_list(*fields)) == before
    assert len(before) == PEOPLE


def test_counts_and_visits_are_what_the_events_say(loaded: dict[str, int]) -> None:
    assert DailyCount.objects.exclude(category="").exists() and Visit.objects.exists()
    assert rollups.differences() == {"counts": 0, "visits": 0}


def test_consent_is_derived_and_its_chains_verify(loaded: dict[str, int]) -> None:
    granted = ConsentState.objects.filter(purpose__key="cart_recovery", may_send=True).count()
    assert PEOPLE * 0.3 < granted < PEOPLE * 0.8
    assert ConsentState.objects.filter(status=ConsentState.Status.WITHDRAWN).exists()
    for digest in ContactPoint.objects.values_list("address_hash", flat=True)[:40]:
        assert consent.verify_chain(bytes(digest)) == []


def test_events_lie_in_the_partitions_of_their_months(loaded: dict[str, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tracking_event_rest")
        assert cursor.fetchone()[0] == 0


def test_the_flow_runs_in_a_hurry_and_says_so() -> None:
    shop.open_shop(NOW)
    campaign = flow.start(shop.hire(NOW), NOW)
    assert flow.start(shop.hire(NOW), NOW) == campaign
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.RUNNING and campaign.launched_at == NOW
    assert campaign.trigger_params == {"delay_minutes": "1"}
    assert campaign.control_share == 0 and not campaign.quiet_hours
    assert 0 < campaign.reentry_days < Decimal("0.002")
    assert "one minute" in campaign.description and campaign.sender.telephone


@pytest.mark.proof
def test_the_command_loads_once_and_removes_all() -> None:
    said = io.StringIO()
    call_command("sample_shop", "load", people=8, stdout=said)
    call_command("sample_shop", "load", people=8, stdout=said)
    assert Contact.objects.filter(source="sample").count() == 8
    assert Campaign.objects.filter(state=Campaign.State.RUNNING).count() == 1
    assert Standing.objects.count() == 8 and StandingDay.objects.values("on_day").distinct().count() > 100
    assert Segment.objects.count() == len(audience.SEGMENTS) and not Segment.objects.exclude(problem="")
    assert LeadDefinition.objects.get().versions.exclude(published_at=None).count() == 1
    assert Offer.objects.running(clock.now()).count() == 2 and Survey.objects.count() == 1
    call_command("sample_shop", "remove", stdout=said)
    call_command("sample_shop", "remove", stdout=said)
    for model in (Offer, Coupon, Survey, Status, Delivery, Enrolment, OwnField):
        assert not model.objects.exists(), model
    assert not Template.objects.exclude(name__startswith="Abandoned cart").exists()
    assert not Segment.objects.exists() and not LeadDefinition.objects.exists()
    assert not Contact.objects.exists() and not Campaign.objects.exists()
    assert not StandingDay.objects.exists() and not ShopRhythm.objects.exists()
    told = said.getvalue()
    assert "loaded already" in told and "8 people" in told and "There is no sample shop here" in told


def test_the_shop_has_a_past_of_letters_answers_and_gifts(loaded: dict[str, int]) -> None:
    sender = Sender.objects.get()
    letters.write(sender, NOW)
    standing_history.rebuild(NOW, SIGNS_OF_LIFE)
    gifts.give(NOW)
    news, asked = (Campaign.objects.get(name=name) for name in (letters.NEWS_NAME, letters.ASKED_NAME))
    assert {news.state, asked.state} == {Campaign.State.STOPPED}
    assert not Delivery.objects.exclude(state="sent").exists()
    assert not Enrolment.objects.exclude(state="finished").exists()
    clicks = Event.objects.filter(kind="click")
    assert news.deliveries.count() > 100 > clicks.count() > 5
    assert rollups.differences() == {"counts": 0, "visits": 0}
    assert asked.deliveries.exists() and not asked.deliveries.exclude(contact_id__in=clicks.values("contact"))
    answers = SurveyAnswer.objects.values_list("delivery_id", flat=True)
    assert set(answers) <= set(asked.deliveries.values_list("pk", flat=True))
    fields = ("contact_id", "order_count")
    regulars = {pk for pk, orders in Engagement.objects.values_list(*fields) if orders >= 4}
    held = set(ContactStatus.objects.values_list("contact_id", flat=True))
    assert held and held <= regulars
    codes = dict(Coupon.objects.values_list("state").annotate(Count("id")))
    assert codes["free"] == gifts.FREE and codes["used"] > 0
    used = Coupon.objects.filter(state="used").values_list("code", "order_id", "contact_id")
    assert set(used) <= set(Order.objects.values_list("coupon_code", "id", "contact_id"))


def test_people_agreed_to_what_the_playbooks_write_for(loaded: dict[str, int]) -> None:
    for key in ("win_back", "product_reminder"):
        may = ConsentState.objects.filter(purpose__key=key, may_send=True).count()
        assert PEOPLE * 0.4 < may < PEOPLE * 0.95, key
    assert Contact.objects.filter(fields__has_key="birthday").exists()


def test_the_calendar_shows_what_is_planned_and_nothing_of_it_is_sent_by_itself(
    loaded: dict[str, int],
) -> None:
    sender = Sender.objects.get()
    audience.meet(NOW)
    carts = flow.start(sender, NOW)
    plans.plan(sender, carts, NOW)
    weeks = planning.calendar(NOW, planning.planned_campaigns(), 4)
    bars = [bar for week in weeks for day in week for bar in day.bars if bar.is_draft]
    assert sorted(bar.campaign.name for bar in bars) == sorted(plans.NAMES)
    came = EntryDay.objects.filter(campaign=carts, on_day__lt=NOW.date())
    lately = Cart.objects.filter(changed_at__gt=NOW - timedelta(days=28))
    assert 0 < came.aggregate(sum=Sum("entered"))["sum"] <= lately.count(), "a forecast of the flow"
    journeys.enrol(NOW + timedelta(days=12), Budget(30))
    assert not Enrolment.objects.filter(campaign__name__in=plans.NAMES).exists()


def test_a_shop_that_is_somebodys_own_is_left_alone() -> None:
    ShopSettings.objects.update(name="Hers", set_up_at=NOW)
    with pytest.raises(CommandError, match="Hers"):
        call_command("sample_shop", "load", stdout=io.StringIO())
    assert not Contact.objects.exists()


def test_removal_leaves_no_row_of_the_sample_and_keeps_real_people(loaded: dict[str, int]) -> None:
    key = ShopSettings.objects.get().ingest_key
    mine = Contact.objects.create(first_name="Ines", email="ines@real-mail.net")
    point = ContactPoint(contact=mine, channel="email", address="ines@real-mail.net", address_hash=b"1" * 32)
    point.save()
    line = CartLine.objects.select_related("cart").first()
    own_cart = Cart.objects.create(
        contact=mine, token="hers", opened_at=NOW, changed_at=NOW, recorded_at=NOW, item_count=1
    )
    CartLine.objects.create(contact=mine, cart=own_cart, product=line.product, name="Her own")
    met = Contact.objects.create(first_name="Newcomer", email="new@example.com", source="script")
    ContactPoint.objects.create(
        contact=met, channel="email", address="new@example.com", address_hash=b"2" * 32
    )

    removed = removal.remove()

    assert removed["contacts"] == PEOPLE + 1
    assert list(Contact.objects.all()) == [mine]
    assert list(Cart.objects.all()) == [own_cart]
    assert own_cart.lines.get().product is None
    for model in (Order, OrderLine, Event, Visitor, ConsentEvent, ConsentState, OutsideId, Engagement):
        assert not model.objects.exists(), model
    for model in (Product, ServerKey, Campaign, Sender):
        assert not model.objects.exists(), model
    after = ShopSettings.objects.get()
    assert (after.is_sample, after.name, after.set_up_at) == (False, "My shop", None)
    assert after.ingest_key == key
    assert removal.remove() == {}
