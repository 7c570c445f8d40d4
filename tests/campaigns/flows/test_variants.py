"""One step, several messages: each person gets one of them, and the campaign's page counts what each did."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.urls import reverse

from campaigns.flows import launching, trying, variants
from campaigns.models import Decision, Delivery, Step, StepVariant
from tests import office
from tests.campaigns import mailing
from tests.campaigns.admin import test_flow
from tests.campaigns.admin.test_flow import look
from tests.campaigns.flows import stage
from tests.campaigns.flows.stage import AT, DELAY

pytestmark = pytest.mark.django_db


def compare(step: Step, **weights: int) -> Step:
    """Set one message a label against the others."""
    wanted = [
        variants.Wanted(label, mailing.template(f"Message {label}"), weight)
        for label, weight in weights.items()
    ]
    variants.keep(step, wanted)
    return step


def fake(weights: dict[str, int], key: str = "step-1") -> SimpleNamespace:
    rows = [
        SimpleNamespace(label=label, template_id=n, weight=w)
        for n, (label, w) in enumerate(weights.items(), 1)
    ]
    variants = SimpleNamespace(all=lambda: rows)
    return SimpleNamespace(key=key, template_id=9, variants=variants, _winners=[])


def contacts(number: int) -> list[UUID]:
    return [UUID(int=one) for one in range(number)]


def test_shares_are_kept_and_nobody_ever_changes_sides():
    people = contacts(4000)
    got = [variants.choose(fake({"A": 50, "B": 30, "C": 20}), 7, who, AT).label for who in people]
    assert got == [variants.choose(fake({"A": 50, "B": 30, "C": 20}), 7, who, AT).label for who in people]
    for label, share in (("A", 0.5), ("B", 0.3), ("C", 0.2)):
        assert got.count(label) / len(people) == pytest.approx(share, abs=0.025)


def test_another_step_and_another_campaign_ask_anew():
    people, even = contacts(4000), {"A": 1, "B": 1}
    here = [variants.choose(fake(even), 7, who, AT).label for who in people]
    for elsewhere, campaign in ((fake(even, "step-2"), 7), (fake(even), 8)):
        there = [variants.choose(elsewhere, campaign, who, AT).label for who in people]
        same = sum(one == other for one, other in zip(here, there, strict=True))
        assert same / len(people) == pytest.approx(0.5, abs=0.03)


def test_without_variants_everybody_gets_the_one_message():
    assert variants.choose(fake({}), 7, UUID(int=1), AT) == variants.Chosen(9, "")


def test_people_get_their_variant_and_it_is_written_down():
    campaign = stage.flow()
    step = compare(campaign.current.steps.get(), A=1, B=1)
    for number in range(1, 13):
        stage.leave_cart(stage.shopper(campaign, number), AT)
    stage.run(AT + DELAY)
    made = list(Delivery.objects.select_related("template"))
    assert len(made) == 12 and {delivery.variant for delivery in made} == {"A", "B"}
    for delivery in made:
        assert delivery.template.name == f"Message {delivery.variant}"
        assert delivery.variant == variants.choose(step, campaign.pk, delivery.contact_id, AT).label
        assert delivery.dedupe_key == f"j:{delivery.enrolment_id}:step-1:1"
        said = Decision.objects.get(contact_id=delivery.contact_id, verdict="queued")
        assert said.evidence["variant"] == delivery.variant
        assert said.words == f"To be sent: variant {delivery.variant}."


def test_another_look_at_the_same_person_sends_nothing_twice():
    campaign = stage.flow()
    compare(campaign.current.steps.get(), A=1, B=1)
    stage.leave_cart(stage.shopper(campaign), AT)
    stage.run(AT + DELAY)
    stage.run(AT + DELAY)
    assert Delivery.objects.count() == 1


def test_a_new_version_of_the_flow_takes_the_variants_along():
    campaign = stage.flow()
    compare(campaign.current.steps.get(), A=2, B=1)
    version = launching.editable_version(campaign, AT)
    step = version.steps.get()
    assert step.version_id != campaign.current_id
    assert [(row.label, row.weight) for row in step.variants.all()] == [("A", 2), ("B", 1)]
    assert StepVariant.objects.count() == 4


def test_the_checklist_looks_into_every_message():
    campaign = stage.flow()
    step = compare(campaign.current.steps.get(), A=1, B=1)
    broken = step.variants.get(label="B").template.current
    broken.subject = "Hello {{ nobody.name }}"
    broken.save()
    problems = {check.label: check.problem for check in launching.problems(campaign, AT)}
    assert "nobody" in problems["The message “Message B”"]
    step.variants.filter(label="B").delete()
    step = campaign.current.steps.get()
    assert "One message is no comparison" in str(
        [check.problem for check in launching.problems(campaign, AT)]
    )


def test_a_walk_and_a_test_show_the_variants():
    campaign = stage.flow()
    step = compare(campaign.current.steps.get(), A=1, B=1)
    contact = stage.shopper(campaign)
    stage.leave_cart(contact, AT)
    label = variants.choose(step, campaign.pk, contact.pk, AT).label
    words = [stop.words for stop in trying.walk(campaign, contact, AT + DELAY)]
    assert f"Gets “Message {label}”, variant {label}." in words
    sent = trying.send_test(campaign, "ada@shop.test", contact, "ada", AT)
    assert {delivery.template.name for delivery in sent} == {"Message A", "Message B"}


@pytest.fixture
def draft(db):
    office.set_up_shop()
    office.sender()
    return office.draft(AT)


def rows(*wanted: tuple[str, object, object]) -> dict[str, list]:
    return {
        "variants-label": [label for label, _, _ in wanted],
        "variants-template": [template for _, template, _ in wanted],
        "variants-weight": [weight for _, _, weight in wanted],
    }


def save(client, campaign, *wanted: tuple[str, object, object]):
    return test_flow.save(client, campaign, "first-message", **rows(*wanted))


def test_messages_are_set_against_each_other_in_the_form_of_the_step(draft, ada):
    one, two = mailing.template("One"), mailing.template("Two")
    assert save(ada, draft, ("A", one.pk, 60), ("With two alternatives", two.pk, "40")).redirect_chain
    step = draft.versions.get().steps.get()
    kept = [(row.label, row.template, row.weight) for row in step.variants.all()]
    assert kept == [("A", one, 60), ("With two alternatives", two, 40)]
    assert step.template is None
    shown = look(ada, draft, step="first-message")
    assert "Send A “One” (60 %) or With two" in shown
    assert 'name="variants-label" value="With two alternatives"' in shown
    test_flow.save(ada, draft, "first-message", template=one.pk)
    step.refresh_from_db()
    assert step.template == one and not step.variants.exists()


@pytest.mark.parametrize(
    "labels, templates, weights, words",
    [
        (["A"], [1], ["50"], "One message is no comparison"),
        (["A", "a"], [1, 2], ["50", "50"], "the same name"),
        (["A", ""], [1, 2], ["50", "50"], "Give every message a short name"),
        (["A", "B"], [1, None], ["50", "50"], "Choose the message of “B”"),
        (["A", "B"], [1, 2], ["50", "0"], "The share of “B” is a whole number"),
        (["A", "B"], [1, 2], ["50", "½"], "The share of “B” is a whole number"),
        (["A", "B"], [1, 2], ["50", "9999"], "The share of “B” is a whole number"),
        (["A", "B\0"], [1, 2], ["50", "50"], "Give every message a short name"),
        ([str(n) for n in range(9)], [1] * 9, ["1"] * 9, "At most 8"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_with_what_to_do_and_nothing_typed_is_lost(
    draft, ada, labels, templates, weights, words
):
    known = {1: mailing.template("One").pk, 2: mailing.template("Two").pk, None: "99999999999999999999"}
    wanted = list(zip(labels, [known[one] for one in templates], weights, strict=True))
    answer = save(ada, draft, *wanted)
    assert not answer.redirect_chain
    assert words in answer.content.decode()
    assert not StepVariant.objects.exists()
    if "\0" not in labels[-1] and len(labels) < 9:
        assert answer.content.decode().count('name="variants-label"') == len(labels)


def test_a_step_that_sends_nothing_compares_nothing(draft, ada):
    one, two = mailing.template("One"), mailing.template("Two")
    test_flow.do(ada, draft, "add", kind="campaigns.wait", after="", path="")
    wait = {"with-length": "2", "with-unit": "days"}
    test_flow.save(ada, draft, "wait-1", **wait, **rows(("A", one.pk, 1), ("B", two.pk, 1)))
    assert not StepVariant.objects.exists()


def test_the_delivery_says_which_variant_it_is(ada, world):
    Delivery.objects.filter(pk=world.delivery.pk).update(variant="With alternatives")
    shown = ada.get(reverse("admin:campaigns_delivery_change", args=[world.delivery.pk])).content.decode()
    assert "With alternatives" in shown
    shown = ada.get(reverse("admin:crm_contact_change", args=[world.contact.pk])).content.decode()
    assert "variant With alternatives" in shown


def test_the_page_of_the_campaign_shows_the_counts(ada, world):
    step = world.campaign.versions.get().steps.get()
    compare(step, A=3, B=1)
    Delivery.objects.filter(pk=world.delivery.pk).update(variant="A", state="claimed")
    office.along(world.delivery, "sending", "sent", finished_at=AT - timedelta(days=400))
    shown = ada.get(reverse("admin:campaigns_campaign_results", args=[world.campaign.pk])).content.decode()
    assert "Messages compared" in shown and "75 %" in shown
