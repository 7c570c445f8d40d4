"""Going on in another flow: at the step that is named, once, and never in a circle without end."""

from datetime import timedelta

import pytest

from campaigns.flows import journeys
from campaigns.flows.kinds import steps
from campaigns.models import Campaign, Decision, Delivery, Due, Enrolment, EntryDay, Step
from tests.campaigns.flows.stage import AT, DELAY, MINUTE, SEND, WAIT, advance, flow, leave_cart, run, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def go_on(campaign, step="", **more):
    params = {"campaign": str(campaign.pk)} | ({"step": step} if step else {}) | more
    return {"kind": "campaigns.go_on", "params": params}


def nobody_enters(*steps, **changes):
    """A running flow that lets in nobody by itself."""
    usual = {"name": "Target", "launched_at": AT + 30 * DAY}
    return flow(*steps, **(usual | changes))


def again_and_again():
    """Each flow that somebody comes into rings for the next look."""
    for _ in range(15):
        run(AT)


def reasons(verdict):
    return list(Decision.objects.filter(verdict=verdict).values_list("reason", flat=True))


def test_people_leave_here_and_go_on_there_at_the_step_that_is_named():
    target = nobody_enters(SEND, WAIT, SEND)
    source = flow(go_on(target, "step-3"), SEND, name="Source")
    ana = shopper(source)
    cart = leave_cart(ana, AT - DELAY)
    again_and_again()
    here = Enrolment.objects.get(campaign=source)
    there = Enrolment.objects.get(campaign=target)
    assert (here.state, here.left_reason) == ("left", "went_on")
    assert (there.entry, there.subject_id) == (f"from:{here.pk}:step-1", cart.pk)
    delivery = Delivery.objects.get()
    assert (delivery.campaign, delivery.step_key) == (target, "step-3")
    assert not Due.objects.exists()
    assert EntryDay.objects.values_list("entered", "brought").get(campaign=target) == (0, 1)
    words = Decision.objects.get(campaign=target, verdict="entered").words
    assert words == "Came from “Source”."


def test_blank_means_from_the_first_step_on():
    target = nobody_enters(WAIT, SEND)
    leave_cart(shopper(flow(go_on(target))), AT - DELAY)
    run(AT)
    assert Enrolment.objects.get(campaign=target).step_position == 1
    assert Due.objects.get().due_at == AT + DAY


@pytest.mark.parametrize("otherwise", ["stay", "leave", ""])
@pytest.mark.parametrize("state", ["paused", "stopped", "draft"])
def test_where_the_other_flow_does_not_run_they_stay_or_leave_and_a_decision_says_why(state, otherwise):
    target = nobody_enters(SEND, state=state)
    leave_cart(shopper(flow(go_on(target, otherwise=otherwise), SEND)), AT - DELAY)
    run(AT)
    person = Enrolment.objects.get()
    assert reasons("skipped") == ["not_running"]
    assert "“Target” is not running" in Decision.objects.get(verdict="skipped").words
    if otherwise == "leave":
        assert (person.left_reason, Delivery.objects.count()) == ("could_not_go_on", 0)
    else:
        assert (person.state, Delivery.objects.count()) == ("finished", 1)


def test_a_step_that_is_gone_by_now_keeps_them_here():
    target = nobody_enters(SEND)
    leave_cart(shopper(flow(go_on(target, "step-9"), SEND)), AT - DELAY)
    run(AT)
    assert reasons("skipped") == ["no_such_step"]
    assert Delivery.objects.get().campaign.name == "Left carts"


def test_who_is_there_already_or_was_lately_is_not_put_in_once_more():
    target = flow(WAIT, SEND, name="Target")
    ana = shopper(target)
    leave_cart(ana, AT - DELAY)
    run(AT)
    source = flow(go_on(target), name="Source")
    run(AT)
    assert reasons("skipped") == ["is_there"]
    assert Enrolment.objects.filter(campaign=target).count() == 1
    advance(AT + DAY)
    assert Enrolment.objects.get(campaign=target).state == "finished"
    leave_cart(ana, AT + DAY, token="another")
    Enrolment.objects.filter(campaign=source).update(entered_at=AT - 30 * DAY)
    run(AT + DAY + DELAY)
    assert sorted(reasons("skipped")) == ["is_there", "was_there"]
    assert Enrolment.objects.filter(campaign=target).count() == 1


def test_flows_that_send_people_on_to_one_another_come_to_an_end():
    first = nobody_enters(name="First", reentry_days=0)
    second = nobody_enters(go_on(first), name="Second", reentry_days=0)
    Step.objects.filter(version__campaign=first).update(**go_on(second))
    Campaign.objects.filter(pk=first.pk).update(launched_at=AT - DAY)
    leave_cart(shopper(first), AT - DELAY)
    again_and_again()
    assert Enrolment.objects.count() == 10
    assert reasons("skipped") == ["in_circles"]
    assert not Due.objects.exists()
    assert not Enrolment.objects.filter(state="active").exists()


def test_the_re_entry_time_ends_a_circle_at_once():
    first = nobody_enters(name="First")
    second = nobody_enters(go_on(first), name="Second")
    Step.objects.filter(version__campaign=first).update(**go_on(second))
    Campaign.objects.filter(pk=first.pk).update(launched_at=AT - DAY)
    leave_cart(shopper(first), AT - DELAY)
    again_and_again()
    assert Enrolment.objects.count() == 2
    assert reasons("skipped") == ["was_there"]


def test_in_shadow_nobody_is_put_into_another_flow():
    target = nobody_enters(SEND)
    leave_cart(shopper(flow(go_on(target), is_shadow=True)), AT - DELAY)
    run(AT)
    assert not Enrolment.objects.filter(campaign=target).exists()
    assert reasons("shadow") == ["shadow"]


def test_moving_on_any_number_of_times_puts_nobody_in_twice():
    target = nobody_enters(WAIT)
    source = flow(go_on(target))
    leave_cart(shopper(source), AT - DELAY)
    run(AT)
    run(AT + MINUTE)
    assert Enrolment.objects.filter(campaign=target).count() == 1


def test_what_cannot_work_is_said_before_the_launch():
    kind = steps.get("campaigns.go_on")
    about_nothing = nobody_enters(
        SEND, trigger="campaigns.clicked_not_bought", trigger_params={"hours": "72"}
    )
    carts = nobody_enters(SEND, name="Carts")

    def problems(of, **params):
        step = Step(kind=kind.key, version=of.current)
        return kind.problems(kind.read(params), step)

    assert problems(carts, campaign=str(about_nothing.pk)) == []
    assert "no step with the key wait-7" in problems(carts, campaign=str(about_nothing.pk), step="wait-7")[0]
    known = problems(carts, campaign=str(about_nothing.pk), step="wait-7")[0]
    assert known.endswith("It has step-1 (Send an e-mail).")
    assert "is about a cart" in problems(about_nothing, campaign=str(carts.pk))[0]


def test_the_words_of_going_on():
    kind = steps.get("campaigns.go_on")
    params = kind.read({"campaign": str(nobody_enters(SEND).pk), "step": "step-1"})
    assert kind.sentence(params, None) == "Go on in “Target”, at the step step-1"


def test_the_same_queries_for_two_and_for_twenty(django_assert_max_num_queries):
    target = nobody_enters(WAIT)
    source = flow(go_on(target))
    counts = []
    for first, last in ((1, 3), (3, 23)):
        for number in range(first, last):
            leave_cart(shopper(source, number), AT - DELAY)
        journeys.enrol_one(source.pk, AT)
        with django_assert_max_num_queries(45) as asked:
            advance(AT)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert Enrolment.objects.filter(campaign=target).count() == 22


def test_the_steps_of_the_other_flow_are_a_choice_also_where_two_lead_in_a_circle():
    first, second = nobody_enters(SEND, name="First"), nobody_enters(WAIT, SEND, name="Second")
    row = Step.objects.get(version=first.current)
    row.kind, row.params = "campaigns.go_on", {"campaign": str(second.pk)}
    row.save()
    form = steps.get("campaigns.go_on").form({"campaign": str(first.pk), "step": "gone-7"})
    assert form.fields["step"].choices == [
        ("", "from its first step on"),
        ("step-1", "1: Go on in another flow"),
        ("gone-7", "gone-7 (not there)"),
    ]
    assert [key for key, _ in steps.get("campaigns.go_on").form().fields["step"].choices] == [""]
