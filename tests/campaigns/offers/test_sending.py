"""A message that gives something: decided by the step, judged again when it is made and at the fence."""

from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import fence, refusals
from campaigns.delivery.preparing import prepared
from campaigns.flows import launching, trying
from campaigns.messages import composing, editing, mjml
from campaigns.messages.look import PLAIN
from campaigns.models import Coupon, Decision, Delivery, Offer, OfferSettings, Step, Template, TemplateVersion
from campaigns.offers import upkeep
from crm.models import Status
from crm.people import statuses
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.offers.shelf import AT, DAY, HOUR, bought, codes, held, offer, product
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db

BLOCKS = [
    {"kind": "campaigns.text", "params": {"heading": "Hello", "words": "We kept it.", "align": "left"}},
    {"kind": "campaigns.coupon", "params": {"title": "For you", "already_bought": "on"}},
    {"kind": "campaigns.footer", "params": {"because": "You left a cart."}},
]
NEXT = "If you already bought this, take it off your next order."


@pytest.fixture(autouse=True)
def sink_is_safe(settings):
    settings.REKINDLE_SAFE_SINK = True


def letter(subject="{{ offer.headline | default: 'Your cart' }}") -> Template:
    made = composing.made_of(BLOCKS, PLAIN)
    template = Template.objects.create(name="With a coupon")
    template.current = TemplateVersion.objects.create(
        template=template,
        number=1,
        subject=subject,
        mjml=made.mjml,
        text=made.text,
        html=mjml.compile_html(made.mjml),
    )
    template.save()
    return template


def flow(of: Offer, **params):
    campaign = stage.flow(
        {"kind": "campaigns.send_email", "params": params}, exit_on_purchase=False, expires_after=None
    )
    Step.objects.update(offer=of, template=letter())
    return campaign


def left(campaign, number=1):
    contact = stage.shopper(campaign, number)
    stage.leave_cart(contact, AT - 10 * stage.MINUTE)
    return contact


def made(now=AT):
    """What is claimed, as mails by delivery, and what could not be made."""
    claimed = claim("email", now, 50)
    mails, problems = prepared(claimed, now)
    return claimed, mails, problems


def test_each_person_gets_a_code_of_their_own_in_the_message():
    spring = offer(minimum=Decimal(30), good_for_hours=48)
    codes(spring, 3)
    campaign = flow(spring)
    people = [left(campaign, number) for number in (1, 2)]
    stage.run(AT)
    claimed, mails, _ = made()
    by_person = {one.contact_id: mails[one.pk] for one in claimed}
    coupons = {coupon.contact_id: coupon.code for coupon in Coupon.objects.exclude(contact_id=None)}
    for person in people:
        other = next(code for who, code in coupons.items() if who != person.pk)
        mail = by_person[person.pk]
        assert coupons[person.pk] in mail.text and coupons[person.pk] in mail.html
        assert other not in mail.text + mail.html
        assert mail.subject == "20 % off"
        assert "From €30.00, until 4 March 2026, once." in mail.text and NEXT in mail.text
    assert len(set(coupons.values())) == 2


def test_what_was_just_bought_is_said_as_something_off_the_next_order_with_the_same_code():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring)
    bought(left(campaign), product(), AT - DAY)
    stage.run(AT)
    _, mails, _ = made()
    [mail] = mails.values()
    assert mail.subject == "20 % off your next order"
    assert "SPRING-0000" in mail.text and NEXT not in mail.text + mail.html


def test_without_the_offer_the_coupon_falls_away_whole_or_nothing_is_sent_as_the_step_says():
    spring = offer()
    campaign = flow(spring)
    left(campaign)
    stage.run(AT)
    decided = Decision.objects.get(verdict="queued")
    assert (decided.reason, decided.words) == (
        "no_coupon",
        "To be sent, without its offer: No code of the offer is left.",
    )
    _, mails, _ = made()
    [mail] = mails.values()
    assert mail.subject == "Your cart" and "For you" not in mail.text + mail.html and "Hello" in mail.text
    Step.objects.update(params={"without_offer": "skip"})
    left(campaign, 2)
    stage.run(AT)
    skipped = Decision.objects.get(verdict="skipped")
    assert (skipped.reason, skipped.words) == ("no_coupon", "No code of the offer is left.")
    assert Delivery.objects.count() == 1


def test_the_control_group_gets_no_code():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring)
    campaign.control_share = Decimal(1)
    campaign.save()
    left(campaign)
    stage.run(AT)
    assert spring.coupons.get().state == "free"


def asked(claimed, now=AT):
    """What the fence says, and the reasons when it says no."""
    return bool(fence(claimed, now)), [one.reason for one in refusals(claimed, now)]


def ready(**changes):
    spring = offer(ends_at=AT + 30 * DAY, **changes)
    codes(spring, 2)
    campaign = flow(spring)
    person = left(campaign)
    stage.run(AT)
    Delivery.objects.update(idle_for=None)  # whoever buys has been there, which is another guard's business
    claimed, mails, problems = made()
    assert not problems and len(mails) == 1
    return spring, person, claimed


def test_a_good_offer_passes_the_fence():
    _, _, claimed = ready()
    assert asked(claimed) == (True, [])


CHANGES = {
    "the offer was ended": lambda spring, person: Offer.objects.update(is_active=False),
    "the code was used": lambda spring, person: Coupon.objects.exclude(contact_id=None).update(state="used"),
    "the code expired": lambda spring, person: Coupon.objects.exclude(contact_id=None).update(expires_at=AT),
    "they bought": lambda spring, person: bought(person, product("p-7"), AT),
    "a price is another": lambda spring, person: Coupon.objects.exclude(contact_id=None).update(
        goods_price=1
    ),
    "a setting changed": lambda spring, person: OfferSettings.objects.create(version=2),
    "it is somebody else's": lambda spring, person: Coupon.objects.exclude(contact_id=None).update(
        contact_id=stage.shopper(Delivery.objects.get().campaign, 99).pk
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_after_the_message_was_made_stops_it_at_the_fence(what):
    spring, person, claimed = ready()
    CHANGES[what](spring, person)
    assert asked(claimed) == (False, ["offer_changed"])


@pytest.mark.parametrize(("ended", "answer"), [(False, (True, [])), (True, (False, ["offer_changed"]))])
def test_a_status_that_ended_meanwhile_stops_it_at_the_fence(ended, answer):
    vip = Status.objects.create(key="vip", name="VIP", lasts_days=30, created_at=AT)
    _, person, claimed = ready()
    Offer.objects.update(for_status=vip)
    statuses.grant(person.pk, vip, AT - DAY, "mira")
    if ended:
        statuses.end(person.pk, vip, AT, "mira")
    assert asked(claimed) == answer


def test_a_price_that_changed_stops_it_as_well():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring)
    thing = product(cost=Decimal(50))
    person = left(campaign)
    person.carts.get().lines.update(product=thing)
    stage.run(AT)
    claimed, _, _ = made()
    product(at=AT - HOUR, price=Decimal(60))
    assert asked(claimed)[0] is False
    Delivery.objects.update(state="queued")
    _, mails, _ = made()
    assert "20 %" not in next(iter(mails.values())).text
    assert spring.coupons.get().state == "free"
    assert "margin floor" in Decision.objects.get(reason="margin_floor").words


def again(**params):
    Step.objects.update(params=params)
    Delivery.objects.update(state="queued", needs_offer=bool(params))
    return made()


def test_an_offer_that_ended_leaves_the_message_without_it_and_the_code_to_others():
    spring, _, _ = ready()
    Offer.objects.update(ends_at=AT)
    _, mails, problems = again()
    [mail] = mails.values()
    assert not problems and "SPRING" not in mail.text + mail.html
    assert set(spring.coupons.values_list("state", flat=True)) == {"free"}
    assert "is over" in Decision.objects.get(reason="offer_over").words


def test_an_offer_that_ended_stops_a_message_that_is_nothing_without_it():
    ready()
    Offer.objects.update(ends_at=AT)
    _, mails, [problem] = again(without_offer="skip")
    assert not mails and (problem.state, problem.reason) == ("skipped", "offer_over")


def test_a_code_that_was_used_by_somebody_is_replaced_by_another():
    ready()
    Coupon.objects.exclude(contact_id=None).update(state="used", used_at=AT)
    claimed, mails, _ = again()
    assert "SPRING-0001" in next(iter(mails.values())).text
    assert held(claimed[0]).code == "SPRING-0001" and asked(claimed) == (True, [])


def test_the_sites_own_offer_that_ended_takes_the_messages_offer_with_it():
    site = offer("Site", place="site", codes="none")
    _, _, claimed = ready(may_beat_site=False)
    assert asked(claimed)[0]
    Delivery.objects.filter(state="sending").update(state="queued")
    claimed, _, _ = made()
    Offer.objects.filter(pk=site.pk).update(ends_at=AT)
    assert asked(claimed) == (False, ["offer_changed"])
    Delivery.objects.update(state="queued")
    made()
    assert "better than what the site gives" in Decision.objects.get(reason="beats_site").words


def test_an_order_between_making_and_sending_changes_the_words_and_not_the_code(settings):
    spring, person, _ = ready()
    bought(person, product(), AT)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        Delivery.objects.update(state="queued")
        mailing.send(AT)
    [accepted] = sink.accepted()
    assert b"off your next order" in accepted.raw and b"SPRING-0000" in accepted.raw
    upkeep.settle(AT)
    assert spring.coupons.get(contact_id=person.pk).state == "shown"


def test_a_walk_and_a_test_show_an_example_and_use_up_no_code():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring)
    person = left(campaign)
    stops = trying.walk(campaign, person, AT, send_to="ada@office.test")
    [mail] = [stop.message for stop in stops if stop.message]
    assert "EXAMPLE-CODE" in mail.text and "SPRING-0000" not in mail.text
    _, mails, _ = made()
    [test] = mails.values()
    assert "EXAMPLE-CODE" in test.text and "20 % off" in test.subject
    assert [(one.state, one.code) for one in Coupon.objects.all()] == [("free", "SPRING-0000")]


def test_a_message_about_nothing_off_may_speak_of_no_offer_in_its_step():
    campaign = flow(offer())
    step = Step.objects.get()
    assert "No code is left" in " ".join(one.problem for one in launching.problems(campaign, AT))
    step.offer = None
    step.save()
    assert "speaks of an offer" in " ".join(one.problem for one in launching.problems(campaign, AT))


def test_the_checklist_names_an_offer_that_is_over_and_counts_codes_and_people():
    spring = offer(ends_at=AT + HOUR)
    codes(spring, 40)
    campaign = flow(spring)
    left(campaign)
    stage.run(AT)
    lines = launching.checklist(campaign, AT)
    assert "“Spring”: 40 codes" not in str(lines)
    assert "39 codes are free, 1 people came in" in " ".join(line.words for line in lines)
    assert "It is over" in " ".join(one.problem for one in launching.problems(campaign, AT + 2 * HOUR))


def test_the_checklist_says_when_nobody_can_have_climbed_to_the_offer():
    steep, small = offer(rung=2, follows_ladder=True), offer("Small", rung=1)
    codes(steep, 4)
    campaign = flow(steep)
    assert "rung" not in " ".join(line.warning for line in launching.checklist(campaign, AT))
    Offer.objects.filter(pk=small.pk).update(is_active=False)
    warned = " ".join(line.warning for line in launching.checklist(campaign, AT))
    assert "no offer on rung 1 is in use" in warned
    assert [line.key for line in launching.problems(campaign, AT)] == ["shop"], "it stops nothing"
    Offer.objects.filter(pk=steep.pk).update(follows_ladder=False)
    assert "rung" not in " ".join(line.warning for line in launching.checklist(campaign, AT))


def test_a_new_version_of_a_flow_keeps_the_offer_of_its_steps():
    campaign = flow(offer(codes="none"))
    version = launching.editable_version(campaign, AT)
    assert version.number == 2 and version.steps.get().offer == Offer.objects.get()


def test_a_coupon_block_by_itself_is_sound():
    template = Template.objects.create(name="By itself")
    version = editing.save_version(
        template, subject="{{ offer.headline | default: 'x' }}", preheader="", blocks=BLOCKS, by=None, now=AT
    )
    assert "offer.code" in version.mjml
    parts = {"subject": version.subject, "preheader": "", "mjml": version.mjml, "text": version.text}
    assert editing.problems(**parts) == []


def test_the_moment_of_the_fence_is_the_one_that_counts():
    _, _, claimed = ready(good_for_hours=1)
    assert asked(claimed, AT + timedelta(minutes=59)) == (True, [])
