"""What each of several messages did, and picking the one that won."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.flows import variants
from campaigns.models import Campaign, Delivery, VariantPick, VariantTest
from campaigns.results import experiments, picking
from crm.kernel.work import Budget
from crm.models import Contact, Order, OrderLine
from crm.people import consent
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.flows.stage import AT, DELAY, MINUTE, buy
from tests.campaigns.flows.test_variants import compare
from tracking.models import Event

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def campaign() -> Campaign:
    office.set_up_shop(currency="EUR")
    campaign = stage.flow()
    compare(campaign.current.steps.get(), A=1, B=1)
    return campaign


def sent(campaign: Campaign, labels: str, *, at=AT, first: int = 1, state: str = "sent") -> list[Delivery]:
    """A message of each of these variants to a person of its own."""
    made = [
        mailing.message(
            who, campaign, template=mailing.template("Message A"), step_key="step-1", variant=label,
            created_at=at, due_at=at,
        )
        for label, who in zip(labels, mailing.people(len(labels), campaign.purpose, first=first), strict=True)
    ]  # fmt: skip
    Delivery.objects.bulk_create(made)
    for state_ in ("claimed", "sending", state):
        Delivery.objects.filter(pk__in=[one.pk for one in made]).update(state=state_, finished_at=at)
    return made


def clicked(delivery: Delivery, actor: str = "human") -> None:
    Event.objects.create(
        contact_id=delivery.contact_id,
        kind="click",
        ref=delivery.public_id,
        actor=actor,
        occurred_at=AT,
        recorded_at=AT,
    )


def bought(delivery: Delivery, total: str, at=AT + DAY, **changes) -> None:
    buy(Contact.objects.get(pk=delivery.contact_id), at, total=Decimal(total), **changes)


def look(campaign: Campaign, now=AT + 3 * DAY):
    return experiments.experiments(campaign, campaign.current, now)[0]


def test_each_message_is_counted_by_people_who_bought_clicked_or_not(campaign, django_assert_num_queries):
    made = sent(campaign, "AAAABX")
    sent(campaign, "B", first=20, state="failed")
    for delivery, actor in ((made[0], "human"), (made[0], "human"), (made[1], "scanner")):
        clicked(delivery, actor)
    bought(made[0], "40")
    bought(made[0], "2.50", tax=Decimal("0.50"))
    bought(made[1], "10")
    # Before the message, after its week, cancelled, in another currency: none of them is its doing.
    bought(made[2], "99", at=AT - MINUTE)
    bought(made[2], "99", at=AT + 7 * DAY)
    bought(made[2], "99", status="cancelled")
    bought(made[3], "99", currency="DKK")
    campaign.refresh_from_db()
    with django_assert_num_queries(7):
        one = look(campaign)
    rows = {row.label: row for row in one.rows}
    assert list(rows) == ["A", "B", "X"]
    a = rows["A"]
    assert (a.share, a.people, a.clicked, a.bought, a.earned) == (50, 4, 1, 2, Decimal("13.0"))
    assert (a.money.total, a.money.squares) == (52.0, 42**2 + 10**2)
    assert (rows["B"].people, rows["B"].bought, rows["X"].share, rows["X"].people) == (1, 0, None, 1)
    assert (one.days, one.measure, one.verdict.kind, a.chance) == (7, "Revenue", "early", None)


def test_where_all_costs_are_known_the_margin_counts(campaign):
    (delivery,) = sent(campaign, "A")
    bought(delivery, "50")
    line = {"contact_id": delivery.contact_id, "name": "Fjord", "quantity": 2, "occurred_at": AT}
    thing = office.product(cost=Decimal(15))
    order = Order.objects.get()
    OrderLine.objects.create(order=order, product=thing, **line)
    one = look(campaign)
    assert (one.measure, one.rows[0].earned) == ("Margin", Decimal(20))
    OrderLine.objects.create(order=order, product=None, **line)
    assert (look(campaign).measure, look(campaign).rows[0].earned) == ("Revenue", Decimal(50))


def test_whoever_stopped_or_complained_is_counted(campaign):
    made = sent(campaign, "AAB")
    for delivery, action, kind in (
        (made[0], "withdrawn", "unsubscribe"),
        (made[1], "complained", "provider"),
        (made[2], "withdrawn", "staff"),
    ):
        consent.record(
            [
                consent.Said(
                    bytes(delivery.address_hash), "email", "cart_recovery", action, AT + MINUTE, kind,
                    contact_id=delivery.contact_id,
                )
            ],
            AT + MINUTE,
        )  # fmt: skip
    a, b = look(campaign).rows
    assert (a.stopped, a.complained, b.stopped, b.complained) == (1, 1, 0, 0)


def test_whoever_enters_after_the_pick_gets_the_winner_and_the_others_keep_theirs(campaign):
    people = [stage.shopper(campaign, number) for number in range(1, 13)]
    step = campaign.current.steps.get()
    before = [variants.choose(step, campaign.pk, who.pk, AT).label for who in people]
    assert set(before) == {"A", "B"}
    picking.pick(campaign, "step-1", "B", "ana", AT + MINUTE)
    step = campaign.current.steps.get()
    assert [variants.choose(step, campaign.pk, who.pk, AT).label for who in people] == before
    for who in people:
        stage.leave_cart(who, AT + MINUTE)
    stage.run(AT + MINUTE + DELAY)
    assert set(Delivery.objects.values_list("variant", flat=True)) == {"B"}
    picking.pick(campaign, "step-1", "", "ana", AT + DAY)
    step = campaign.current.steps.get()
    later = [variants.choose(step, campaign.pk, who.pk, AT + DAY).label for who in people]
    assert later == before


def test_a_winner_that_is_not_in_the_step_any_more_changes_nothing(campaign):
    step = campaign.current.steps.get()
    VariantPick.objects.create(campaign=campaign, step_key="step-1", label="Z", picked_at=AT)
    assert variants.choose(step, campaign.pk, stage.shopper(campaign).pk, AT + DAY).label in ("A", "B")
    with pytest.raises(picking.CannotPick, match="no message called “Y”"):
        picking.pick(campaign, "step-1", "Y", "ana", AT)


def test_those_who_had_no_choice_are_not_compared(campaign):
    sent(campaign, "AB")
    picking.pick(campaign, "step-1", "B", "ana", AT + DAY)
    sent(campaign, "BBB", at=AT + 2 * DAY, first=10)
    assert [row.people for row in look(campaign).rows] == [1, 1]
    assert [row.is_winner for row in look(campaign).rows] == [False, True]
    picking.pick(campaign, "step-1", "", "ana", AT + 3 * DAY)
    assert [row.people for row in look(campaign).rows] == [0, 0]
    sent(campaign, "AAB", at=AT + 4 * DAY, first=20)
    assert [row.people for row in look(campaign).rows] == [2, 1]


def won(campaign: Campaign, people: int = 60) -> None:
    """Everybody bought by B, a quarter by A."""
    made = sent(campaign, "A" * people + "B" * people)
    for number, delivery in enumerate(made):
        if number >= people or number % 4 == 0:
            bought(delivery, f"{40 + number % 7}")


def pick_winners(now) -> int:
    return picking.pick_winners(now, Budget(30))


def test_the_program_picks_after_the_hours_and_the_people_asked_for(campaign):
    won(campaign)
    assert pick_winners(AT + 9 * DAY) == 0
    picking.let_program_pick(campaign, "step-1", 48, 60, "ana", AT)
    assert pick_winners(AT + DAY) == 0
    assert pick_winners(AT + 2 * DAY) == 1
    pick = VariantPick.objects.get()
    assert (pick.label, pick.picked_by, pick.picked_at) == ("B", "", AT + 2 * DAY)
    assert "Chance to be best over 99 %, 60 people each" in pick.words
    assert pick_winners(AT + 3 * DAY) == 0


def test_the_program_waits_for_enough_people_and_looks_again_at_twice_as_many(campaign):
    made = sent(campaign, "A" * 60 + "B" * 60)
    for delivery in made[::3]:
        bought(delivery, "40")
    test = picking.let_program_pick(campaign, "step-1", 1, 61, "ana", AT)
    assert pick_winners(AT + DAY) == 0
    test.refresh_from_db()
    assert test.looked_at_people == 0
    picking.let_program_pick(campaign, "step-1", 1, 60, "ana", AT)
    assert pick_winners(AT + DAY) == 0
    test.refresh_from_db()
    assert test.looked_at_people == 60
    # In between it does not look, however good it looks.
    for delivery in made[60:]:
        bought(delivery, "90")
    assert pick_winners(AT + 2 * DAY) == 0


def test_a_paused_campaign_picks_nothing(campaign):
    won(campaign)
    picking.let_program_pick(campaign, "step-1", 1, 60, "ana", AT)
    Campaign.objects.update(state="paused")
    assert pick_winners(AT + DAY) == 0


def press(client, campaign: Campaign, do: str, **more) -> str:
    url = reverse("admin:campaigns_campaign_winner", args=[campaign.pk])
    return client.post(url, {"do": do, "step": "step-1"} | more, follow=True).content.decode()


def test_a_marketer_picks_by_hand_or_leaves_it_to_the_program(campaign, ada):
    sent(campaign, "AB")
    assert "Choose the message that won" in press(ada, campaign, "pick", label="")
    shown = press(ada, campaign, "pick", label="B")
    assert "Whoever enters from now on gets B" in shown
    assert "B was picked</b> by ada" in shown
    assert "All messages compete again" in press(ada, campaign, "compete")
    assert [pick.label for pick in VariantPick.objects.order_by("pk")] == ["B", ""]
    assert "greater than or equal to 50" in press(ada, campaign, "auto", hours="24", people="3")
    assert not VariantTest.objects.exists()
    assert "after 24 hours and 500 people each" in press(ada, campaign, "auto", hours="24", people="500")
    press(ada, campaign, "hands")
    assert not VariantTest.objects.exists()


def test_only_who_may_change_the_campaign_picks(campaign, vera):
    url = reverse("admin:campaigns_campaign_winner", args=[campaign.pk])
    assert vera.post(url, {"do": "pick", "step": "step-1", "label": "A"}).status_code == 403
    page = vera.get(reverse("admin:campaigns_campaign_results", args=[campaign.pk])).content.decode()
    assert "Messages compared" in page and "Pick it" not in page


@pytest.mark.parametrize("said", [{"do": "explode"}, {"do": "pick", "label": "A\0"}])
def test_what_is_no_button_is_not_found(campaign, ada, said):
    url = reverse("admin:campaigns_campaign_winner", args=[campaign.pk])
    assert ada.post(url, {"step": "step-1"} | said).status_code == 404
