"""Campaigns in the back office: made in one click, edited in place, tried, launched, changed, stopped."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.flows import launching
from campaigns.flows.kinds import Trigger, triggers
from campaigns.models import Campaign, Delivery, Enrolment
from crm.kernel import clock
from tests import office


class Standing(Trigger):
    """People are what they are."""

    key = "toys.standing"
    label = "Standing"
    looks_at_people = True


def page(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


def act(client, campaign: Campaign, verb: str, **more):
    answer = client.post(
        reverse("admin:campaigns_campaign_act", args=[campaign.pk]), {"do": verb} | more, follow=True
    )
    campaign.refresh_from_db()
    return answer


def form(client, campaign: Campaign, section: str, **changes):
    """What a browser posts from one of the two forms."""
    usual = {
        "who": {
            "trigger": "campaigns.abandoned_cart",
            "trigger--campaigns-abandoned_cart-delay_minutes": "8",
            "reentry_days": "7",
            "exit_on_purchase": "on",
            "control_share": "0.2",
            "priority": "30",
            "when_beaten": "wait",
            "in_caps": "on",
        },
        "settings": {
            "name": campaign.name,
            "purpose": campaign.purpose_id,
            "sender": campaign.sender_id or "",
            "expires_after_0": "3",
            "expires_after_1": "hours",
        },
    }
    answer = client.post(f"{page(campaign)}?section={section}", usual[section] | changes)
    campaign.refresh_from_db()
    return answer


@pytest.fixture
def campaign(db) -> Campaign:
    office.set_up_shop()
    office.sender()
    return office.draft(clock.now())


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
    assert shown.index("<h3>Win back</h3>") < shown.index("<h3>Welcome</h3>") < shown.index("<h3>Listen</h3>")
    assert "Eight minutes after a cart was left" in shown


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


def test_the_trigger_keeps_what_was_typed(campaign, ada):
    typed = {"trigger--campaigns-abandoned_cart-delay_minutes": "12"}
    assert form(ada, campaign, "who", **typed).status_code == 302
    assert campaign.trigger_params == {"delay_minutes": "12"}


def test_what_each_form_keeps_leaves_the_other_alone(campaign, ada):
    before = campaign.expires_after
    answer = form(ada, campaign, "who", control_share="0.1", when_beaten="drop", in_caps="")
    assert answer["Location"].endswith("?section=who")
    assert (str(campaign.control_share), campaign.when_beaten) == ("0.100", "drop")
    assert (campaign.in_caps, campaign.expires_after) == (False, before)
    form(ada, campaign, "settings", name="Carts", quiet_hours="on", is_shadow="on", expires_after_0="90",
         expires_after_1="minutes")  # fmt: skip
    assert (campaign.name, campaign.quiet_hours, campaign.is_shadow) == ("Carts", True, True)
    assert campaign.expires_after == timedelta(minutes=90)
    assert campaign.when_beaten == "drop", "what *Who* said stands"
    assert "in shadow: sends nothing" in ada.get(page(campaign)).content.decode()


def test_who_saves_second_is_told_so_first_and_loses_nothing(campaign, ada):
    opened = re.search(
        r'name="seen" value="(\w+)"', ada.get(f"{page(campaign)}?section=who").content.decode()
    )
    assert opened is not None
    form(ada, campaign, "who", seen=opened.group(1), priority="31")
    answer = form(ada, campaign, "who", seen=opened.group(1), priority="99")
    shown = answer.content.decode()
    assert "Somebody else changed this campaign" in shown and 'value="99"' in shown
    assert campaign.priority == 31
    again = re.search(r'name="seen" value="(\w+)"', shown)
    assert again is not None and again.group(1) != opened.group(1)
    form(ada, campaign, "who", seen=again.group(1), priority="99")
    assert campaign.priority == 99


def test_existing_people_are_let_in_only_where_a_trigger_looks_at_what_people_are(campaign, ada):
    form(ada, campaign, "who", existing_a_day="300")
    assert campaign.existing_a_day is None
    with triggers.temporarily(Standing):
        typed = {"trigger": Standing.key, "existing_a_day": "300"}
        assert form(ada, campaign, "who", **typed).status_code == 302
    assert campaign.existing_a_day == 300


def test_every_field_says_why_it_is_what_it_is(campaign, ada):
    who = ada.get(f"{page(campaign)}?section=who").content.decode()
    settings = ada.get(f"{page(campaign)}?section=settings").content.decode()
    assert "two series a week are nagging" in who and "one marketing e-mail in 20 hours" in " ".join(
        who.split()
    )
    assert "22:15" in settings and "three hours for a left cart" in settings


def test_an_empty_campaign_is_made_by_hand_and_asks_for_its_first_step(campaign, ada):
    typed = {
        "name": "By hand",
        "purpose": campaign.purpose_id,
        "trigger": "campaigns.abandoned_cart",
        "trigger--campaigns-abandoned_cart-delay_minutes": "8",
    }
    answer = ada.post(reverse("admin:campaigns_campaign_add"), typed, follow=True)
    assert "Press + in the picture to add its first step." in answer.content.decode()


def test_people_of_an_earlier_version_are_told_apart(world, ada):
    launching.editable_version(world.campaign, office.NOW)
    launching.publish(world.campaign, "ada", office.NOW)
    assert "1 more person walks an earlier version" in " ".join(
        ada.get(page(world.campaign)).content.decode().split()
    )


def test_changed_steps_are_put_into_use_on_purpose(campaign, ada):
    act(ada, campaign, "launch")
    launching.editable_version(campaign, clock.now())
    assert "Use version 2" in ada.get(page(campaign)).content.decode()
    act(ada, campaign, "publish")
    assert campaign.current.number == 2


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


def test_a_walk_begins_with_somebody_for_those_who_may_see_people(world, ada):
    url = reverse("admin:campaigns_campaign_try", args=[world.campaign.pk])
    assert f'name="as" required value="{office.MAIL}"' in ada.get(url).content.decode()
    otto = office.logged_in(office.user("otto", "campaigns.view_campaign"))
    assert 'name="as" required value=""' in otto.get(url).content.decode()


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
    assert "rk-step" in shown
    assert 'value="pause"' not in shown
    assert 'name="reentry_days"' not in vera.get(f"{page(world.campaign)}?section=who").content.decode()


def test_numbers_are_shown_as_people_write_them(campaign, ada):
    shown = ada.get(f"{page(campaign)}?section=who").content.decode()
    assert 'value="7"' in shown
    assert campaign.reentry_days == Decimal(7)
    assert 'value="3"' in ada.get(f"{page(campaign)}?section=settings").content.decode()
