"""Campaigns in the back office: made in one click, edited in place, tried, launched, changed, stopped."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.flows import launching
from campaigns.models import Campaign, Delivery, Enrolment, Step, Template
from crm.kernel import clock
from tests import office

STEPS = "campaigns-step"


def page(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


def act(client, campaign: Campaign, verb: str, **more):
    answer = client.post(
        reverse("admin:campaigns_campaign_act", args=[campaign.pk]), {"do": verb} | more, follow=True
    )
    campaign.refresh_from_db()
    return answer


def form(campaign: Campaign, *steps: dict, **changes) -> dict:
    """What a browser posts: the campaign's own fields and its steps, the stored ones first."""
    posted = {
        "name": campaign.name,
        "purpose": campaign.purpose_id,
        "sender": campaign.sender_id or "",
        "trigger": "campaigns.abandoned_cart",
        "trigger--campaigns-abandoned_cart-delay_minutes": "8",
        "reentry_days": "7",
        "control_share": "0.2",
        "priority": "30",
        "expires_after": "03:00:00",
        "exit_on_purchase": "on",
        f"{STEPS}-TOTAL_FORMS": str(len(steps)),
        f"{STEPS}-INITIAL_FORMS": str(sum("id" in step for step in steps)),
    }
    for number, step in enumerate(steps):
        posted |= {f"{STEPS}-{number}-{name}": value for name, value in step.items()}
    return posted | changes


@pytest.fixture
def campaign(db) -> Campaign:
    office.set_up_shop()
    office.sender()
    return office.draft(clock.now())


def sends(campaign: Campaign) -> dict:
    step = campaign.versions.get().steps.get()
    return {"id": step.pk, "kind": step.kind, "template": step.template_id, "position": 1}


def test_one_click_on_a_playbook_makes_a_draft_and_sends_nothing(ada, db):
    office.set_up_shop()
    answer = ada.post(
        reverse("admin:campaigns_campaign_make", args=["campaigns.abandoned_cart"]), follow=True
    )
    made = Campaign.objects.get()
    assert made.state == "draft"
    assert "is a draft now" in answer.content.decode()
    assert Delivery.objects.count() == 0


def test_an_unknown_playbook_is_not_found(ada):
    assert ada.post(reverse("admin:campaigns_campaign_make", args=["campaigns.nothing"])).status_code == 404


def test_the_gallery_and_the_counts_stand_on_the_list(world, ada):
    shown = ada.get(reverse("admin:campaigns_campaign_changelist")).content.decode()
    assert "Start from a playbook" in shown
    assert "Eight minutes after a cart was left" in shown


def test_the_page_draws_the_flow_and_lists_what_is_missing(campaign, ada):
    campaign.sender = None
    campaign.save()
    office.Sender.objects.update(is_default=False)
    shown = ada.get(page(campaign)).content.decode()
    assert "<svg" in shown
    assert "Who enters" in shown
    assert "1 thing to do" in shown
    assert "mend it" in shown


def test_a_campaign_that_is_not_ready_is_not_launched_and_says_why(campaign, ada):
    office.set_up_shop(postal_address="")
    answer = act(ada, campaign, "launch")
    assert campaign.state == "draft"
    assert "postal address" in answer.content.decode()


def test_launch_pause_resume_stop(campaign, ada):
    for verb, state in (
        ("launch", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("stop", "stopped"),
    ):
        act(ada, campaign, verb)
        assert campaign.state == state


def test_what_cannot_be_done_now_is_refused_in_words(campaign, ada):
    answer = act(ada, campaign, "pause")
    assert campaign.state == "draft"
    assert "It is draft" in answer.content.decode()


def test_an_unknown_act_is_not_found(campaign, ada):
    assert act(ada, campaign, "explode").status_code == 404


def test_steps_are_edited_in_place_each_with_the_fields_of_its_kind(campaign, ada):
    wait = {
        "kind": "campaigns.wait",
        "kind--campaigns-wait-length": "2",
        "kind--campaigns-wait-unit": "days",
        "position": "1",
    }
    answer = ada.post(page(campaign), form(campaign, sends(campaign) | {"position": 2}, wait))
    assert answer.status_code == 302, answer.context["errors"]
    first, second = Step.objects.filter(version__campaign=campaign).order_by("position")
    assert (first.kind, first.params) == ("campaigns.wait", {"length": "2", "unit": "days"})
    assert second.kind == "campaigns.send_email"
    assert first.key == "wait-1"


def test_a_step_without_a_place_comes_last(campaign, ada):
    leave = {"kind": "campaigns.leave", "kind--campaigns-leave-reason": "enough"}
    assert ada.post(page(campaign), form(campaign, sends(campaign), leave)).status_code == 302
    assert [step.kind for step in campaign.versions.get().steps.all()][-1] == "campaigns.leave"


def test_a_wrong_value_of_a_step_is_named_beside_its_field(campaign, ada):
    wait = {"kind": "campaigns.wait", "kind--campaigns-wait-length": "0", "kind--campaigns-wait-unit": "days"}
    answer = ada.post(page(campaign), form(campaign, sends(campaign), wait))
    assert answer.status_code == 200
    errors = answer.context["inline_admin_formsets"][0].formset.errors
    assert "kind--campaigns-wait-length" in errors[1]
    assert Step.objects.count() == 1


def test_what_stands_in_the_fields_of_other_kinds_is_nobodys_business(campaign, ada):
    step = sends(campaign) | {"kind--campaigns-wait-length": "nonsense"}
    assert ada.post(page(campaign), form(campaign, step)).status_code == 302


def test_the_trigger_keeps_what_was_typed(campaign, ada):
    posted = form(campaign, sends(campaign))
    posted["trigger--campaigns-abandoned_cart-delay_minutes"] = "12"
    ada.post(page(campaign), posted)
    campaign.refresh_from_db()
    assert campaign.trigger_params == {"delay_minutes": "12"}


def test_steps_people_may_walk_are_read_and_not_changed(campaign, ada):
    act(ada, campaign, "launch")
    shown = ada.get(page(campaign)).content.decode()
    assert f'name="{STEPS}-0-kind"' not in shown
    assert "Edit the steps" in shown
    step = campaign.versions.get().steps.get()
    ada.post(page(campaign), form(campaign, {"id": step.pk, "kind": "campaigns.leave", "position": 1}))
    step.refresh_from_db()
    assert step.kind == "campaigns.send_email"


def test_changed_steps_are_a_new_version_that_is_put_into_use_on_purpose(campaign, ada):
    act(ada, campaign, "launch")
    act(ada, campaign, "edit")
    assert campaign.versions.count() == 2
    assert campaign.current.number == 1
    assert "Use version 2" in ada.get(page(campaign)).content.decode()
    act(ada, campaign, "publish")
    assert campaign.current.number == 2


def test_people_of_an_earlier_version_are_told_apart(world, ada):
    launching.editable_version(world.campaign, office.NOW)
    assert "1 more person walks an earlier version" in " ".join(
        ada.get(page(world.campaign)).content.decode().split()
    )


def test_a_walk_shows_what_would_happen_and_keeps_nothing(world, ada):
    before = Enrolment.objects.count(), Delivery.objects.count()
    shown = ada.get(
        reverse("admin:campaigns_campaign_try", args=[world.campaign.pk]), {"as": office.MAIL}
    ).content.decode()
    assert "Gets “" in shown
    assert "Reaches the end of the flow" in shown
    assert "Fjord 1 speakers" in shown
    assert "sandbox" in shown
    assert "default-src" in shown
    assert (Enrolment.objects.count(), Delivery.objects.count()) == before


@pytest.mark.parametrize("typed", ["", "nobody@shop-customers.example", "no address"])
def test_a_walk_needs_a_contact(world, ada, typed):
    answer = ada.get(reverse("admin:campaigns_campaign_try", args=[world.campaign.pk]), {"as": typed})
    assert "Type the whole e-mail address of a contact" in answer.content.decode()


def test_a_walk_of_somebody_without_a_cart_says_so(world, ada):
    office.person("bo@shop-customers.example")
    answer = ada.get(
        reverse("admin:campaigns_campaign_try", args=[world.campaign.pk]), {"as": "bo@shop-customers.example"}
    )
    assert "has no cart to try it with" in answer.content.decode()


def test_a_test_is_really_sent_and_counted_nowhere(world, ada):
    answer = ada.post(
        reverse("admin:campaigns_campaign_test", args=[world.campaign.pk]),
        {"as": office.MAIL, "to": "mira@shop.example"},
        follow=True,
    )
    assert "1 test message is on the way to mira@shop.example" in answer.content.decode()
    test = Delivery.objects.get(origin="test")
    assert test.test_address == "mira@shop.example"
    assert Enrolment.objects.filter(is_test=True).count() == 0


def test_a_test_to_nowhere_is_refused(world, ada):
    answer = ada.post(
        reverse("admin:campaigns_campaign_test", args=[world.campaign.pk]),
        {"as": office.MAIL, "to": "nowhere"},
        follow=True,
    )
    assert "is not an e-mail address" in answer.content.decode()
    assert not Delivery.objects.filter(origin="test").exists()


def test_an_onlooker_sees_the_campaign_and_no_buttons(world, vera):
    shown = vera.get(page(world.campaign)).content.decode()
    assert "<svg" in shown
    assert 'value="pause"' not in shown


def test_a_step_that_no_program_knows_is_marked_and_the_page_still_opens(campaign, ada):
    Step.objects.create(version=campaign.versions.get(), key="odd", position=2, kind="campaigns.vanished")
    assert "there is no step called" in ada.get(page(campaign)).content.decode()


def test_numbers_are_shown_as_people_write_them(campaign, ada):
    shown = ada.get(page(campaign)).content.decode()
    assert 'value="7"' in shown
    assert campaign.reentry_days == Decimal(7)
    assert Template.objects.count() == 1
