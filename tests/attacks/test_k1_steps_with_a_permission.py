"""A colleague who may change every campaign, and not call webhooks, brings no webhook to life: not by one of
the editor's doors, with whatever is posted, not from a playbook, not by launching what somebody else left.
"""

import json

import pytest
from django.urls import reverse

from campaigns.admin import flow
from campaigns.flows import editing, launching
from campaigns.flows.kinds import Playbook, playbooks
from campaigns.flows.playbooks.abandoned_cart import AbandonedCart
from campaigns.models import Campaign
from crm.kernel import clock
from tests import office

OURS, THEIRS = "https://warehouse.example/people", "https://collector.evil.example/people"
HOOK = "campaigns.webhook"
MAY_ALL_ELSE = [
    *(f"campaigns.{verb}_campaign" for verb in ("view", "add", "change", "delete", "launch")),
    "campaigns.approve_launch",
]


@pytest.fixture
def mara(db):
    return office.logged_in(office.user("mara", *MAY_ALL_ELSE))


@pytest.fixture
def campaign(db) -> Campaign:
    """A draft with a webhook of the administrator's below its message."""
    office.set_up_shop()
    office.sender()
    made = office.draft(clock.now())
    step = editing.add(made, HOOK, "first-message", "", clock.now())
    step.params = {"url": OURS, "with_address": "on"}
    step.save()
    return made


def stored(campaign: Campaign) -> list[tuple]:
    rows = editing.steps_of(launching.newest_version(campaign))
    return [(row.key, row.kind, json.dumps(row.params), row.path, row.only_if) for row in rows]


def post(client, campaign, name="flow", **said):
    url = reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])
    answer = client.post(url, said, follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def hook(campaign):
    return next(row for row in editing.steps_of(launching.newest_version(campaign)) if row.kind == HOOK)


def everything(campaign, **more):
    """All that any of the doors could want to hear."""
    row = hook(campaign)
    said = {"key": row.key, "seen": editing.mark(row), "kind": HOOK, "after": "", "path": "", "to": "up"}
    return said | {"with-url": THEIRS, "with-with_address": "on", "again": "yes"} | more


@pytest.mark.proof
@pytest.mark.parametrize("verb", sorted(set(flow.ACTS) - {"give_up"}))
def test_no_door_of_the_editor_touches_a_webhook(campaign, mara, verb):
    before = stored(campaign)
    for said in (
        everything(campaign),
        everything(campaign, kind="campaigns.wait"),
        everything(campaign, key="gone", kind=HOOK),
        everything(campaign, after="first-message"),
    ):
        answer = post(mara, campaign, do=verb, **said)
        if said["key"] != "gone" or verb in ("add", "save"):
            assert "takes a permission that you do not have" in answer
    assert stored(campaign) == before
    assert THEIRS not in str(stored(campaign))


def test_the_menu_does_not_offer_it_and_the_step_is_shown_with_the_reason(campaign, mara, ada):
    page = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    for client, offered in ((mara, False), (ada, True)):
        menu = client.get(page, {"add": "1", "after": "", "path": ""}).content.decode()
        assert (f'value="{HOOK}"' in menu) is offered and 'value="campaigns.tag"' in menu
    shown = mara.get(page, {"step": hook(campaign).key}).content.decode()
    assert "it posts what is known of people to another system. Ask an administrator." in shown
    assert "Tell warehouse.example" in shown
    assert 'name="with-url"' not in shown and "Delete it" not in shown and "Move up" not in shown
    assert f'data-step="{hook(campaign).key}" draggable' not in shown
    assert 'data-step="first-message" draggable' in shown
    assert 'name="with-url"' in ada.get(page, {"step": hook(campaign).key}).content.decode()


def test_whoever_may_not_call_webhooks_launches_no_flow_in_which_one_is_new(campaign, mara, ada):
    for shadow in ({}, {"shadow": "on"}):
        said = post(mara, campaign, "launch", no_control="on", very_many="on", **shadow)
        assert "Mend first: Step 2: “Call a webhook” takes a permission" in said
    post(mara, campaign, "act", do="launch", no_control="on")
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.DRAFT
    post(ada, campaign, "launch", no_control="on")
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.RUNNING


def test_what_an_administrator_launched_is_paused_changed_and_resumed_by_others(campaign, mara, ada):
    launching.launch(campaign, "ada", clock.now(), may=lambda permission: True)
    post(mara, campaign, "act", do="pause")
    post(mara, campaign, "act", do="resume")
    post(mara, campaign, do="add", kind="campaigns.wait", after="", path="")
    said = post(mara, campaign, "act", do="publish", move="no")
    campaign.refresh_from_db()
    assert "The new version is in use" in said and campaign.current.number == 2
    # A webhook that is another one is a new one, whoever wrote it into the version in work.
    version = launching.editable_version(campaign, clock.now())
    version.steps.filter(kind=HOOK).update(params={"url": THEIRS})
    assert "takes a permission" in post(mara, campaign, "act", do="publish", move="yes")
    post(mara, campaign, "act", do="stop")
    assert "takes a permission" in post(mara, campaign, "launch", no_control="on")
    campaign.refresh_from_db()
    assert (campaign.state, campaign.current.number) == (Campaign.State.STOPPED, 2)


def test_a_playbook_with_a_webhook_makes_nothing_for_them(campaign, mara, ada):
    class Telling(Playbook):
        """A play that tells others."""

        key = "tests.telling"
        label = "Telling"

        def make(self, now, **overrides):
            made = AbandonedCart().make(now, only_first=True, name="Telling", **overrides)
            editing.add(made, HOOK, "first-message", "", now)
            return made

    with playbooks.temporarily(Telling):
        url = reverse("admin:campaigns_campaign_make", args=[Telling.key])
        assert mara.post(url).status_code == 403
        assert not Campaign.objects.filter(name="Telling").exists()
        assert ada.post(url).status_code == 302
        assert Campaign.objects.filter(name="Telling").exists()
