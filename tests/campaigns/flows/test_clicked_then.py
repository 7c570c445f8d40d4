"""Who is asked why, and who is thanked: clicks by people, a visit, and what they bought or did not."""

from datetime import timedelta

import pytest

from campaigns.flows import launching
from campaigns.flows.kinds import playbooks
from campaigns.messages import rendering
from campaigns.models import Campaign, Decision, Delivery, Enrolment, Survey
from crm.audience import granting
from crm.kernel.work import Budget
from crm.models import Contact, Order, Segment, Status
from crm.people import statuses
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, buy, enrol, flow, leave_cart, run, shopper
from tests.campaigns.test_conditions import event
from tracking.models import Actor, Cart, EventKind

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAIT = 72 * HOUR


@pytest.fixture
def letter():
    """Another campaign, whose message Ana was sent."""
    return mailing.campaign(name="News")


@pytest.fixture
def ana(letter):
    person = shopper(letter)
    mailing.message(person, letter, template=mailing.template()).save()
    return person


def asking(**changes):
    params = {"hours": "72"} | changes.pop("params", {})
    usual = {"name": "Why", "reentry_days": 90, "expires_after": None}
    return flow(trigger="campaigns.clicked_not_bought", trigger_params=params, **(usual | changes))


def thanking(**changes):
    params = {"within_days": "5", "wait_days": "3"} | changes.pop("params", {})
    usual = {"name": "Thanks", "reentry_days": 180, "exit_on_purchase": False, "expires_after": None}
    return flow(trigger="campaigns.clicked_and_bought", trigger_params=params, **(usual | changes))


def clicks(person, at=AT, actor=Actor.HUMAN, *, comes=True, ref=None):
    event(person, EventKind.CLICK, at, actor, ref)
    if comes:
        event(person, EventKind.LANDING, at + MINUTE, ref=ref)
        event(person, EventKind.PRODUCT, at + 5 * MINUTE, ref=ref)


def test_whoever_came_and_did_not_buy_enters_three_days_later_once(ana):
    asking()
    clicks(ana)
    assert enrol(AT + WAIT - MINUTE) == 0
    assert [enrol(AT + WAIT + MINUTE), enrol(AT + WAIT + HOUR)] == [1, 0]
    entered = Enrolment.objects.get()
    assert (entered.contact_id, entered.qualified_at) == (ana.pk, AT + WAIT)
    assert "did not buy" in Decision.objects.first().words


def test_a_scanner_a_click_that_led_nowhere_and_a_visit_without_a_click_ask_nobody(ana, letter):
    asking()
    clicks(ana, actor=Actor.MACHINE, comes=False)
    clicks(ana, at=AT + HOUR, comes=False)
    boris = shopper(letter, 2)
    event(boris, EventKind.PRODUCT, AT)
    assert enrol(AT + WAIT + 2 * HOUR) == 0


def test_whoever_bought_since_or_has_a_cart_standing_open_is_not_asked(ana):
    asking()
    clicks(ana)
    cart = leave_cart(ana, AT + HOUR)
    assert enrol(AT + WAIT + MINUTE) == 0
    Cart.objects.filter(pk=cart.pk).update(state=Cart.State.EMPTIED)
    order = buy(ana, AT + 70 * HOUR)
    assert enrol(AT + WAIT + MINUTE) == 0
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED)
    assert enrol(AT + WAIT + 2 * MINUTE) == 1


def test_an_order_that_comes_to_be_known_late_ends_it_before_the_message(ana):
    asking()
    clicks(ana)
    enrol(AT + WAIT + MINUTE)
    buy(ana, AT + HOUR)
    run(AT + WAIT + 2 * MINUTE)
    assert Enrolment.objects.get().left_reason == "purchased"
    assert not Delivery.objects.filter(campaign__name="Why").exists()


def test_it_looks_forward_only(ana):
    asking(launched_at=AT + WAIT + HOUR)
    clicks(ana)
    assert enrol(AT + WAIT + 2 * HOUR) == 0


def test_nobody_is_asked_again_within_ninety_days(ana):
    asking()
    clicks(ana)
    clicks(ana, at=AT + DAY)
    for day in (3, 4, 5):
        run(AT + day * DAY + MINUTE)
    first = Delivery.objects.get(campaign__name="News").public_id
    clicks(ana, at=AT + 80 * DAY, ref=first)
    enrol(AT + 83 * DAY + MINUTE)
    assert Enrolment.objects.count() == 1
    clicks(ana, at=AT + 91 * DAY, ref=first)
    assert enrol(AT + 94 * DAY + MINUTE) == 1


def test_clicks_in_its_own_message_or_in_another_campaigns_do_not_count(ana, letter):
    other = mailing.campaign(name="Other")
    why = asking(params={"campaign": str(other.pk)})
    clicks(ana)
    assert enrol(AT + WAIT + MINUTE) == 0
    Campaign.objects.filter(pk=why.pk).update(trigger_params={"hours": "72", "campaign": str(letter.pk)})
    own = mailing.message(ana, why, template=mailing.template(), dedupe_key="own")
    own.save()
    clicks(ana, at=AT + HOUR, ref=own.public_id)
    assert enrol(AT + WAIT + MINUTE) == 1 and enrol(AT + WAIT + 2 * HOUR) == 0


def test_the_entry_rule_is_part_of_the_question(ana, letter):
    asking(entry_rule={"all": [{"kind": "crm.name", "params": {"contains": "person2"}}]})
    clicks(ana)
    boris = shopper(letter, 2)
    sent = mailing.message(boris, letter, template=mailing.template(), dedupe_key="b")
    sent.save()
    ref = Delivery.objects.exclude(pk=sent.pk).get().public_id
    clicks(boris, at=AT + MINUTE, ref=ref)
    assert enrol(AT + WAIT + HOUR) == 1
    assert Enrolment.objects.get().contact_id == boris.pk


def test_whoever_clicked_and_bought_is_thanked_three_days_after_the_order(ana):
    thanking()
    clicks(ana)
    buy(ana, AT + 4 * DAY)
    assert enrol(AT + 7 * DAY - MINUTE) == 0
    assert [enrol(AT + 7 * DAY + MINUTE), enrol(AT + 7 * DAY + HOUR)] == [1, 0]
    assert Enrolment.objects.get().qualified_at == AT + 7 * DAY
    buy(ana, AT + 7 * DAY + HOUR)
    run(AT + 7 * DAY + 2 * HOUR)
    assert Enrolment.objects.get().left_reason == ""


@pytest.mark.parametrize("status", [Order.Status.CANCELLED, Order.Status.REFUNDED])
def test_nobody_is_thanked_for_what_they_sent_back_or_bought_too_late_after_the_click(ana, status):
    thanking()
    clicks(ana)
    buy(ana, AT + DAY, status=status)
    buy(ana, AT + 6 * DAY)
    for day in range(3, 11):
        assert enrol(AT + day * DAY + HOUR) == 0


def test_the_playbooks_make_editable_drafts_that_are_ready(ana):
    for key in ("campaigns.ask_why", "campaigns.thank_vip"):
        campaign = playbooks.get(key).make(AT)
        assert (campaign.state, str(campaign.control_share)) == (Campaign.State.DRAFT, "0.2")
        missing = {check.key for check in launching.problems(campaign, AT)}
        assert missing <= {"shop", "sender"}, missing
        again = playbooks.get(key).make(AT)
        assert again.versions.get().steps.get().template == campaign.versions.get().steps.get().template
    labels = [str(choice) for choice in Survey.objects.get().choices.all()]
    assert len(labels) == 5 and labels[0] == "The price"
    assert Status.objects.get().key == "vip" and not Segment.objects.exists()


def test_whoever_clicks_and_buys_is_a_vip_and_the_thanks_say_until_when(ana):
    campaign = playbooks.get("campaigns.thank_vip").make(AT)
    template = campaign.versions.get().steps.get().template
    clicks(ana)
    buy(ana, AT + DAY)
    granting.keep_up(AT + 2 * DAY, Budget(30))
    assert set(statuses.held([ana.pk], AT + 2 * DAY)[ana.pk]) == {"vip"}
    shown = rendering.preview(template.current, Contact.objects.get(pk=ana.pk), AT + 2 * DAY).text
    assert "until 4 March 2027" in shown and "before everybody else" in shown
    boris = shopper(campaign, 2)
    assert "before everybody else" not in rendering.preview(template.current, boris, AT).text
