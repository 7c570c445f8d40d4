"""The lines of the checklist about people's peace and about telling what it earned."""

from datetime import timedelta

import pytest

from campaigns.flows.check import Check
from campaigns.flows.checklist import checklist
from campaigns.flows.kinds import Step as StepKind
from campaigns.flows.kinds import steps
from campaigns.messages import leading
from campaigns.models import Campaign, Coupon, Offer
from crm.kernel import http
from tests import office
from tests.campaigns.flows.stage import AT, SEND, flow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    office.set_up_shop(url="https://shop.test")


def line(campaign: Campaign, key: str, **more) -> Check:
    return next(check for check in checklist(campaign, AT, **more) if check.key.split(":")[0] == key)


def rewritten(campaign: Campaign, **changes) -> Campaign:
    version = campaign.versions.get().steps.first().template.current
    for name, value in changes.items():
        setattr(version, name, value)
    version.save()
    return campaign


def with_link(url: str) -> Campaign:
    return rewritten(office.draft(AT), html=f'<a href="{url}">look</a>', text="")


def test_every_message_needs_a_way_to_stop_and_the_line_leads_to_it():
    campaign = office.draft(AT)
    assert line(campaign, "unsubscribe").done
    template = campaign.versions.get().steps.get().template
    found = line(rewritten(campaign, mjml="<mjml></mjml>"), "unsubscribe")
    assert "link by which people unsubscribe" in found.problem and "Footer" in found.problem
    assert found.url == f"/admin/campaigns/template/{template.pk}/change/"
    # What has a line of its own is not said twice.
    assert line(campaign, "template").done


def test_links_of_the_shop_and_of_the_catalogue_are_not_judged():
    for url in ("https://shop.test/p/1", "http://SHOP.test/x", "{{ cart.url }}", "https://x.test/{{ a }}"):
        assert line(with_link(url), "links").words == "Where the links lead: to the shop"


@pytest.mark.parametrize(
    "answer, said",
    [
        (404, "there is no such page"),
        (500, "it answers 500"),
        (http.Unreachable("gone"), "does not answer"),
        (http.Forbidden("10.0.0.1 is private"), "not on the public internet"),
    ],
)
def test_a_link_that_leads_nowhere_keeps_it_from_starting(monkeypatch, answer, said):
    def request(method, url, **how):
        if isinstance(answer, Exception):
            raise answer
        return http.Response(answer, b"")

    monkeypatch.setattr(leading.http, "request", request)
    url = f"https://elsewhere.test/{said.replace(' ', '-')}"
    campaign = with_link(url)
    assert line(campaign, "links").done and "elsewhere.test" in line(campaign, "links").warning
    leading.ask([url])
    found = line(campaign, "link")
    assert said in found.problem and url in found.problem


@pytest.mark.parametrize("status", [200, 302, 403, 405])
def test_a_link_that_answers_is_fine(monkeypatch, status):
    monkeypatch.setattr(leading.http, "request", lambda *asked, **how: http.Response(status, b""))
    url = f"https://elsewhere.test/{status}"
    campaign = with_link(url)
    assert leading.ask([url, url]) == {url: ""}
    assert line(campaign, "links").words.endswith("others that answered")
    assert leading.ask([url]) == {}


class Fork(StepKind):
    key = "test.fork"
    label = "Fork"

    def paths(self, params):
        return ["came", "stayed"]


@pytest.fixture
def fork():
    steps.register(Fork)
    yield {"kind": "test.fork"}
    steps._kinds.pop("test.fork")


def test_a_path_nobody_is_on_is_named(fork):
    assert "no step before it puts anybody on" in line(flow(fork, SEND | {"path": "cam"}), "path").problem
    # The one that forks comes after it.
    assert not line(flow(SEND | {"path": "came"}, fork), "path").done
    sound = checklist(flow(fork, SEND | {"path": "came"}), AT)
    assert not [check for check in sound if check.key.startswith("path:")]
    assert "nothing happens on “stayed”" in next(check.note for check in sound if check.key == "paths")


def test_how_late_a_message_may_be_is_said():
    assert line(flow(), "expiry").note == "skipped 3 hours after its time"
    assert "however late" in line(flow(expires_after=None), "expiry").warning
    by_step = flow(SEND | {"expires_after": timedelta(days=2)}, expires_after=None)
    assert "each step says" in line(by_step, "expiry").note


def test_what_holds_it_back_is_listed():
    assert line(flow(quiet_hours=True, in_caps=True), "limits").note == (
        "one offer to a person on one day, at most one e-mail in 20 hours, at most 4 e-mails in 7 days, "
        "only from 09:00 to 20:00 where they are, any order ends it"
    )
    assert "not the frequency limits" in line(flow(in_caps=False), "limits").warning


def test_a_control_group_or_a_deliberate_no():
    campaign = office.draft(AT)
    assert line(campaign, "control").note.startswith("20 % get nothing")
    assert "cannot be told" in line(flow(control_share=0), "control").warning


def test_single_codes_have_to_last_for_the_first_day():
    offer = Offer.objects.create(name="Come back", kind="percent", value=10, codes="single", created_at=AT)
    Coupon.objects.bulk_create(Coupon(offer=offer, code=f"C-{number}", created_at=AT) for number in range(3))
    campaign = flow(SEND | {"offer": offer})
    assert line(campaign, "offer", expected=3).done
    found = line(campaign, "offer", expected=4)
    assert "3 codes are free for about 4 people" in found.problem
    assert found.url == f"/admin/campaigns/offer/{offer.pk}/change/"
