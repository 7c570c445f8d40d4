"""Every playbook there is: one click makes a draft that lacks nothing but what is the shop's own, and its
messages are fit to be read by anybody. A new one is tested by being registered.
"""

from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from campaigns.flows import launching, variants
from campaigns.flows.drafting import SOMETHING_IS_OPEN
from campaigns.flows.kinds import playbooks, steps
from campaigns.messages import mjml
from campaigns.models import Campaign, Delivery, Offer, Template
from campaigns.offers.checking import speaks_of_an_offer
from crm.kernel import rules
from crm.models import Contact, LeadDefinition, OwnField, Segment, Status
from crm.people import changes
from tests import office
from tests.campaigns.gallery import NOW, check, for_everybody

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "plays.md"
THE_SHOPS_OWN = {"sender", "shop", "offer"}
ON_A_PHONE = 58
PLAYS = [pytest.param(play, id=play.key) for play in playbooks]
WHAT_IT_MAKES = (Template, Segment, Status, OwnField, LeadDefinition, Offer)
# From what was asked for to what asks: plays.md.
ORDER = [
    "campaigns.welcome",
    "campaigns.back_in_stock",
    "campaigns.abandoned_cart",
    "campaigns.browsed_and_left",
    "campaigns.replenishment",
    "campaigns.nurture",
    "campaigns.at_risk",
    "campaigns.broadcast",
    "campaigns.ask_why",
]

pytestmark = pytest.mark.django_db
compiled_once = cache(mjml.compile_html)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The same message is made by several tests."""
    monkeypatch.setattr(mjml, "compile_html", compiled_once)


def messages(campaign: Campaign) -> list[Template]:
    rows = campaign.versions.get().steps.all()
    return [template for row in rows for _label, template in variants.messages_of(row)]


@pytest.mark.parametrize("play", PLAYS)
def test_one_click_makes_a_draft_that_lacks_only_what_is_the_shops_own(play):
    campaign = play.make(NOW)
    lacks = launching.problems(campaign, NOW)
    assert [one.words for one in lacks if one.key.partition(":")[0] not in THE_SHOPS_OWN] == []
    assert (campaign.state, campaign.playbook) == (Campaign.State.DRAFT, play.key)
    assert 0 < campaign.control_share < 1 and campaign.reentry_days > 0 and campaign.expires_after
    assert not Delivery.objects.exists() and not Offer.objects.exists()
    for row in campaign.versions.get().steps.all():
        kind = steps.get(row.kind)
        assert kind.sentence(kind.read(row.params), row)
        spoken_of = [one for _label, one in variants.messages_of(row) if speaks_of_an_offer(one)]
        # What speaks of an offer waits for one and goes to nobody else; the checklist asks for it.
        assert bool(spoken_of) == (row.params.get("without_offer") == "skip")
        assert {f"offer:{row.key}:{one.pk}" for one in spoken_of} <= {one.key for one in lacks}
    made = [model.objects.count() for model in WHAT_IT_MAKES]
    assert messages(play.make(NOW)) == messages(campaign)
    assert [model.objects.count() for model in WHAT_IT_MAKES] == made, "a second draft shares what it needs"


@pytest.mark.parametrize("play", PLAYS)
def test_its_messages_are_fit_for_whoever_has_everything_and_of_whom_nothing_is_known(play):
    for template in messages(play.make(NOW)):
        version = template.current
        assert version.mode == "blocks" and version.preheader
        for shown in for_everybody(version):
            check(shown)
            assert 0 < len(shown.subject) <= ON_A_PHONE, shown.subject
            assert "  " not in shown.subject and not shown.subject.endswith((" ", ":"))
            assert "You get this" in shown.text


@pytest.mark.parametrize("play", PLAYS)
def test_marketers_can_read_what_it_does(play):
    assert f"\n### {play.label}\n" in GUIDE.read_text()
    assert 40 < len(play.help) <= 110 and play.__doc__ and play.group


def test_what_was_asked_for_goes_before_what_asks():
    plays = [playbooks.get(key) for key in ORDER if key in playbooks]
    priorities = [play.priority for play in plays]
    assert priorities == sorted(priorities) and len(set(priorities)) == len(priorities)


def test_whoever_another_play_expects_is_not_missed():
    alone = playbooks.get("campaigns.we_miss_you").make(NOW)
    course = playbooks.get("campaigns.nurture").make(NOW)
    beside = playbooks.get("campaigns.we_miss_you").make(NOW)
    named = [one for one in beside.entry_rule["none"] if one not in alone.entry_rule["none"]]
    assert named == [{"kind": "campaigns.in_flow", "params": {"campaign": str(course.pk)}}]


@pytest.mark.parametrize("trouble", ["refunded", "cancelled", "complaint", "long ago", ""])
def test_whoever_has_a_complaint_or_a_return_open_gets_no_news_and_no_win_back(trouble):
    office.set_up_shop()
    office.sender()
    ana = office.person()
    if trouble == "complaint":
        changes.change([ana.pk], lambda _: {"tags": ["complaint"]}, office.NOW, actor="olga")
    elif trouble:
        at = office.NOW - timedelta(days=60 if trouble == "long ago" else 9)
        office.order(ana, office.product(), at=at, status="refunded" if trouble == "long ago" else trouble)
    is_free = not trouble or trouble == "long ago"
    risk = playbooks.get("campaigns.at_risk").make(office.NOW)
    for rule in (risk.entry_rule, {"none": [SOMETHING_IS_OPEN]}):
        assert Contact.objects.filter(rules.compile(rule, office.NOW), pk=ana.pk).exists() is is_free
    playbooks.get("campaigns.broadcast").make(office.NOW)
    assert SOMETHING_IS_OPEN in Segment.objects.get(name="Active, not just bought").rule["all"][-1]["none"]
