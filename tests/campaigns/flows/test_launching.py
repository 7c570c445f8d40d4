"""Starting, pausing, stopping and changing a campaign; what the checklist holds against it."""

from datetime import timedelta

import pytest

from campaigns.flows import launching
from campaigns.flows.kinds import playbooks
from campaigns.models import Campaign, Delivery, Enrolment, Sender, Step
from crm.models import Purpose, ShopSettings
from tests.campaigns.flows.stage import AT, DELAY, MINUTE, SEND, WAIT, advance, flow, leave_cart, run, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def shop():
    ShopSettings.objects.update_or_create(pk=1, defaults={"postal_address": "Nygade 4, 1164 København"})
    Purpose.objects.get_or_create(
        key="cart_recovery",
        defaults={"name": "Left carts", "kind": Purpose.Kind.MARKETING, "channels": ["email"]},
    )
    Sender.objects.create(
        name="Mira",
        email="mira@shop.test",
        person="Mira",
        reply_to="mira@shop.test",
        telephone="+45 1",
        is_default=True,
    )


def play(**overrides):
    return playbooks.get("campaigns.abandoned_cart").make(AT, only_first=True, **overrides)


def test_the_play_is_ready_to_launch_as_it_is_made():
    campaign = play()
    assert launching.problems(campaign, AT) == []
    assert campaign.state == Campaign.State.DRAFT
    assert (campaign.trigger_params, campaign.reentry_days) == ({"delay_minutes": "8"}, 7)
    assert (str(campaign.control_share), campaign.expires_after) == ("0.2", timedelta(hours=3))
    launching.launch(campaign, "ana", AT)
    assert (campaign.state, campaign.launched_at) == (Campaign.State.RUNNING, AT)
    assert campaign.current.frozen_at == AT


def test_the_samples_play_takes_a_minute_and_holds_nobody_out():
    campaign = play(
        name="Sample", trigger_params={"delay_minutes": "1"}, control_share=0, reentry_days="0.0035"
    )
    launching.launch(campaign, "sample", AT)
    ana = shopper(campaign)
    leave_cart(ana, AT + MINUTE)
    run(AT + 2 * MINUTE)
    assert Delivery.objects.get().contact_id == ana.pk


def test_a_second_play_starts_from_the_same_message():
    assert play().versions.get().steps.get().template == play().versions.get().steps.get().template


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (lambda campaign: ShopSettings.objects.update(postal_address=" "), "shop"),
        (lambda campaign: Sender.objects.update(telephone=""), "sender"),
        (lambda campaign: Sender.objects.update(reply_to=""), "sender"),
        (lambda campaign: Purpose.objects.update(is_active=False), "purpose"),
        (lambda campaign: Campaign.objects.update(trigger_params={"delay_minutes": "soon"}), "trigger"),
        (lambda campaign: Campaign.objects.update(trigger="campaigns.gone"), "trigger"),
        (lambda campaign: Campaign.objects.update(exit_rule={"all": [{"kind": "crm.gone"}]}), "exit_rule"),
        (lambda campaign: Step.objects.update(template=None), "step:first-message"),
        (lambda campaign: Step.objects.all().delete(), "steps"),
        (
            lambda campaign: _rewrite(campaign, mjml="<mjml><mj-body>stuck</mj-body></mjml>"),
            "unsubscribe",
        ),
        (lambda campaign: _rewrite(campaign, subject="{{ nothing.here }}"), "template"),
    ],
)
def test_what_is_not_right_keeps_it_from_starting(spoil, key):
    campaign = play()
    spoil(campaign)
    campaign = Campaign.objects.get(pk=campaign.pk)
    with pytest.raises(launching.CannotLaunch) as refused:
        launching.launch(campaign, "ana", AT)
    assert [
        check.key.partition(":")[0] if key == "template" else check.key for check in refused.value.problems
    ] == [key]
    assert all(check.words and not check.done for check in refused.value.problems)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.DRAFT


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("campaigns.webhook", {"url": "https://warehouse.example/people"}),
        ("campaigns.make_task", {"who": "owner", "title": "Call them"}),
        ("campaigns.tag", {"how": "add", "tag": "left a cart"}),
    ],
)
def test_a_flow_that_writes_to_nobody_asks_for_nothing_that_messages_need(kind, params):
    campaign = play()
    Step.objects.filter(version__campaign=campaign).update(kind=kind, params=params, template=None)
    Campaign.objects.filter(pk=campaign.pk).update(sender=None)
    Sender.objects.all().delete()
    ShopSettings.objects.update(postal_address="")
    campaign = Campaign.objects.get(pk=campaign.pk)
    assert launching.problems(campaign, AT) == []
    assert not {"sender", "shop", "unsubscribe", "expiry"} & {
        check.key for check in launching.checklist(campaign, AT)
    }
    launching.launch(campaign, "ana", AT)
    assert campaign.state == Campaign.State.RUNNING


def test_a_flow_that_only_waits_and_leaves_does_nothing_outside_and_is_not_launched():
    campaign = play()
    Step.objects.filter(version__campaign=campaign).update(kind=WAIT["kind"], params=WAIT["params"])
    found = [check.words for check in launching.problems(campaign, AT)]
    assert found == [
        "The flow: Add a step that does something outside the flow: sends a message, gives, changes or tells."
    ]


def test_pause_resume_and_stop():
    campaign = launching.launch(play(control_share=0), "ana", AT)
    launching.pause(campaign, "ana", AT)
    assert (campaign.state, campaign.state_reason) == (Campaign.State.PAUSED, "paused by ana")
    leave_cart(shopper(campaign), AT)
    run(AT + DELAY)
    assert not Enrolment.objects.exists()
    launching.resume(campaign, "ana", AT + DELAY)
    run(AT + DELAY + MINUTE)
    assert Delivery.objects.count() == 1
    launching.stop(campaign, "ana", AT)
    assert campaign.state == Campaign.State.STOPPED
    with pytest.raises(launching.WrongState):
        launching.resume(campaign, "ana", AT)


def test_copies_of_steps_are_edited_while_people_walk_the_old_ones():
    campaign = flow(SEND, WAIT, SEND)
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    leave_cart(ana, AT - DELAY)
    run(AT)
    draft = launching.editable_version(campaign, AT)
    assert launching.editable_version(campaign, AT) == draft != campaign.current
    draft.steps.filter(key="step-3").delete()
    assert campaign.current.steps.count() == 3
    _sound(campaign)
    launching.publish(campaign, "ana", AT)
    leave_cart(boris, AT)
    run(AT + DELAY)
    advance(AT + 2 * DAY)
    assert Delivery.objects.filter(contact_id=ana.pk).count() == 2
    assert Delivery.objects.filter(contact_id=boris.pk).count() == 1


def test_people_inside_can_be_moved_to_the_new_version_on_purpose():
    campaign = flow(SEND, WAIT, SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    draft = launching.editable_version(campaign, AT)
    draft.steps.filter(key="step-1").delete()
    _sound(campaign)
    launching.publish(campaign, "ana", AT, move_people=True)
    person = Enrolment.objects.get()
    assert (person.version, person.step_position) == (draft, 1)
    advance(AT + DAY)
    assert list(Delivery.objects.order_by("pk").values_list("step_key", flat=True)) == ["step-1", "step-3"]


def test_the_words_of_the_steps():
    campaign = flow(SEND, WAIT)
    assert [words for _, words in launching.describe(campaign)] == ["Send “Your cart”", "Wait 24 hours"]


def test_a_new_step_gets_a_key_no_step_of_the_campaign_ever_had():
    campaign = flow(SEND)
    version = launching.editable_version(campaign, AT)
    assert launching.new_step_key(version, "campaigns.send_email") == "send-email-1"


def _sound(campaign):
    """The message of these tests is not one that could be launched."""
    Step.objects.filter(version__campaign=campaign, template__isnull=False).update(
        template=play().versions.get().steps.get().template
    )


def _rewrite(campaign, **changes):
    version = campaign.versions.get().steps.get().template.current
    for name, value in changes.items():
        setattr(version, name, value)
    version.save()
