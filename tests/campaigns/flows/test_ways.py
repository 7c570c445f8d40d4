"""Branches and splits: who goes which way, by rules and by chance."""

from datetime import timedelta

import pytest

from campaigns.flows.kinds import steps
from campaigns.models import Campaign, Decision, Delivery, Due, Enrolment, Step
from crm.kernel.kinds import BrokenParams
from crm.models import Segment
from tests.campaigns.flows.stage import AT, DELAY, LEAVE, SEND, advance, enrol, flow, leave_cart, run, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def cart_of(least):
    return {"all": [{"kind": "tracking.this_cart", "params": {"at_least": str(least)}}]}


def branch(*ways, otherwise=""):
    params = {"otherwise": otherwise} if otherwise else {}
    for number, (rule, path) in enumerate(ways, start=1):
        params |= {f"rule_{number}": rule, f"path_{number}": path}
    return {"kind": "campaigns.branch", "params": params}


def split(**weights):
    params = {}
    for number, (path, weight) in enumerate(weights.items(), start=1):
        params |= {f"path_{number}": path, f"weight_{number}": str(weight)}
    return {"kind": "campaigns.split", "params": params}


def sent():
    """Who got the message of which step."""
    return sorted(Delivery.objects.values_list("contact_id", "step_key"))


def test_the_first_rule_that_is_true_decides_and_all_others_go_the_last_way():
    campaign = flow(
        branch((cart_of(100), "Big"), (cart_of(30), "Middle"), otherwise="Small"),
        {**SEND, "path": "Big"},
        {**SEND, "path": "Middle"},
        {**SEND, "path": "Small"},
        SEND,
    )
    worth = {}
    for number, total in enumerate((200, 40, 5), start=1):
        person = shopper(campaign, number)
        leave_cart(person, AT - DELAY, total=total)
        worth[person.pk] = total
    run(AT)
    ways = dict(Enrolment.objects.values_list("contact_id", "path"))
    assert {worth[key]: path for key, path in ways.items()} == {200: "Big", 40: "Middle", 5: "Small"}
    got = {200: ["step-2", "step-5"], 40: ["step-3", "step-5"], 5: ["step-4", "step-5"]}
    assert sent() == sorted((key, step) for key, total in worth.items() for step in got[total])


def test_without_a_last_path_all_others_stay_on_theirs():
    campaign = flow(branch((cart_of(100), "Big")), {**SEND, "path": "Big"}, SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    assert Enrolment.objects.get().path == ""
    assert [step for _, step in sent()] == ["step-3"]


def test_a_second_branch_takes_people_from_the_path_of_the_first():
    campaign = flow(
        branch((cart_of(1), "Any")),
        {**branch((cart_of(100), "Big"), otherwise="Small"), "path": "Any"},
        {**SEND, "path": "Any"},
        {**SEND, "path": "Small"},
    )
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    assert [step for _, step in sent()] == ["step-4"]


def test_a_rule_that_cannot_be_read_pauses_the_campaign_and_nobody_is_judged():
    gone = Segment.objects.create(name="Gone", kind=Segment.Kind.FIXED)
    rule = {"all": [{"kind": "crm.in_segment", "params": {"segment": str(gone.pk)}}]}
    campaign = flow(branch((rule, "In"), otherwise="Out"), {**SEND, "path": "Out"})
    for number in (1, 2, 3):
        leave_cart(shopper(campaign, number), AT - DELAY)
    enrol(AT)
    gone.delete()
    leave_cart(shopper(campaign, 4), AT - DELAY)
    advance(AT)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED
    assert campaign.problem.startswith("Step 1 (step-1) cannot be read: rule_1")
    assert Due.objects.filter(problem="").count() == 3
    assert set(Enrolment.objects.values_list("state", "path")) == {("active", "")}
    assert not Delivery.objects.exists()
    Campaign.objects.update(state=Campaign.State.RUNNING)
    assert enrol(AT) == 0
    campaign.refresh_from_db()
    assert campaign.problem.startswith("Step 1 (step-1) cannot be read: rule_1")


@pytest.mark.proof
def test_a_split_keeps_its_shares_and_never_changes_its_mind():
    campaign = flow(split(Fast=3, Slow=1), LEAVE)
    for number in range(1, 201):
        leave_cart(shopper(campaign, number), AT - DELAY)
    run(AT)
    first = dict(Enrolment.objects.values_list("contact_id", "path"))
    assert 125 <= list(first.values()).count("Fast") <= 175
    Enrolment.objects.all().delete()
    Decision.objects.all().delete()
    step = Step.objects.get(key="step-1")
    step.pk, step.version, step._state.adding = None, campaign.versions.create(number=2), True
    step.save()
    Campaign.objects.update(current=step.version)
    run(AT)
    assert dict(Enrolment.objects.values_list("contact_id", "path")) == first


@pytest.mark.parametrize(
    ("kind", "params", "field"),
    [
        ("branch", {}, "rule_1"),
        ("branch", {"rule_1": cart_of(1)}, "path_1"),
        ("branch", {"rule_1": cart_of(1), "path_1": "A", "path_2": "B"}, "rule_2"),
        ("branch", {"rule_1": {"all": [{"kind": "crm.gone"}]}, "path_1": "A"}, "rule_1"),
        ("branch", {"rule_1": cart_of(1), "path_1": "A" * 41}, "path_1"),
        ("branch", {"rule_1": cart_of(1), "path_1": "Big", "otherwise": "big"}, ""),
        ("branch", {"rule_1": "{nonsense", "path_1": "A"}, "rule_1"),
        ("branch", {"rule_1": [1, {"a": float("nan")}], "path_1": "A"}, "rule_1"),
        ("split", {"path_1": "A", "weight_1": "1"}, "path_2"),
        ("split", {"path_1": "A", "weight_1": "1", "path_2": "B"}, "weight_2"),
        ("split", {"path_1": "A", "weight_1": "0", "path_2": "B", "weight_2": "1"}, "weight_1"),
        ("split", {"path_1": "A", "weight_1": "1", "path_2": "A", "weight_2": "1"}, "path_2"),
        ("wait_for", {"length": "1", "unit": "days"}, "rule"),
        ("wait_for", {"rule": cart_of(1), "length": "4000", "unit": "days"}, ""),
    ],
)
def test_a_wrong_setting_is_named_with_its_field(kind, params, field):
    with pytest.raises(BrokenParams) as refused:
        steps.get(f"campaigns.{kind}").read(params)
    assert refused.value.field == field
    assert refused.value.message


def test_a_rule_about_a_cart_is_refused_where_the_campaign_is_about_something_else():
    campaign = flow(branch((cart_of(1), "A")), trigger="campaigns.clicked_not_bought")
    step = Step.objects.select_related("version__campaign").get()
    kind = steps.get(step.kind)
    assert "subject:cart" in kind.problems(kind.read(step.params), step)[0]
    Campaign.objects.update(trigger="campaigns.abandoned_cart", trigger_params={"delay_minutes": "8"})
    step = Step.objects.select_related("version__campaign").get(version__campaign=campaign)
    assert kind.problems(kind.read(step.params), step) == []


def test_the_words_of_branches_and_splits():
    said = [
        steps.get(kind).sentence(steps.get(kind).read(params), None)
        for kind, params in (
            branch((cart_of(100), "Big"), otherwise="Small").values(),
            split(A=9, B=1).values(),
        )
    ]
    assert said[0].endswith(": “Big”; all others: “Small”")
    assert said[1] == "Split: “A” 90 %, “B” 10 %"


def test_asking_at_a_branch_takes_as_many_queries_for_two_as_for_twenty(django_assert_max_num_queries):
    campaign = flow(branch((cart_of(100), "Big"), (cart_of(30), "Middle"), otherwise="Small"), LEAVE)
    counts = []
    for first, last in ((1, 3), (3, 23)):
        for number in range(first, last):
            leave_cart(shopper(campaign, number), AT - DELAY)
        enrol(AT)
        with django_assert_max_num_queries(30) as asked:
            advance(AT)
        counts.append(len(asked))
    assert counts[0] == counts[1]
