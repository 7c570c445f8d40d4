"""Other systems are told of people: once to whoever says so, again to whoever does not answer, and never an
address inside.
"""

import base64
import hmac
import socket
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.delivery import fencing, holding, outbox
from campaigns.delivery.channels import webhook
from campaigns.delivery.channels.base import channels
from campaigns.delivery.claiming import claim
from campaigns.flows import trying
from campaigns.flows.kinds import steps
from campaigns.messages import webhooks
from campaigns.models import Campaign, Decision, Delivery, Enrolment, Step
from campaigns.results import reporting
from crm.kernel import http, tokens
from crm.kernel.kinds import BrokenParams
from crm.kernel.timeline import sources
from crm.kernel.work import Budget
from crm.models import ConsentState, Contact, OutsideId
from crm.shop.keys import webhook_secret
from tests.campaigns.flows import stage
from tests.campaigns.flows.stage import AT, MINUTE
from tests.sink.faults import Fault
from tests.sink.hook import HookSink

pytestmark = pytest.mark.django_db

URL = "https://localhost/hook?shop=1"
CALL = {"kind": "campaigns.webhook", "params": {"url": URL, "event": "cart left", "with_address": "on"}}
DAY = timedelta(days=1)


@pytest.fixture
def listening(monkeypatch):
    """Calls of localhost end at a receiver with these faults."""
    look_up = socket.getaddrinfo

    @contextmanager
    def listen(*faults, inside_allowed=True):
        with HookSink(*faults) as sink:

            def looked_up(host, port, *args, **more):
                if (host, port) != ("localhost", 443):
                    return look_up(host, port, *args, **more)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", sink.port))]

            with monkeypatch.context() as patch:
                channel = channels.get("campaigns.webhook")
                patch.setattr(socket, "getaddrinfo", looked_up)
                if inside_allowed:
                    patch.setattr(channel, "policy", http.Policy(networks=("127.0.0.0/8",)))
                patch.setattr(channel, "verify", sink.trusting)
                yield sink

    return listen


def queued(count=1, step=CALL, **changes):
    """People who left carts, one call about each in the queue."""
    campaign = stage.flow(step, **({"exit_on_purchase": False, "expires_after": None} | changes))
    for number in range(1, count + 1):
        stage.leave_cart(stage.shopper(campaign, number), AT - 10 * MINUTE)
    stage.run(AT)
    return campaign


def deliver(now=AT):
    return outbox.deliver(lambda: now, Budget(20), tick="campaigns.webhooks")


def the_one():
    return Delivery.objects.get()


def test_the_facts_of_the_person_are_posted_and_the_answer_is_kept(listening):
    with listening() as sink:
        campaign = queued()
        assert sink.heard == [], "it was called inside the transaction that moves people on"
        contact = Contact.objects.get()
        OutsideId.objects.create(source="shop", kind="customer", external_id="c-7", contact_id=contact.pk)
        Contact.objects.update(tags=["vip"], fields={"shoe_size": 42}, language="de", last_name="Öz")
        deliver()
    [heard] = sink.heard
    delivery = the_one()
    assert heard.path == "/hook?shop=1"
    assert heard.body["event"] == "cart left"
    assert heard.body["campaign"] == {"id": campaign.pk, "name": "Left carts", "step": "step-1"}
    person = heard.body["person"]
    assert (person["id"], person["customer_ids"]) == (str(contact.pk), {"shop": "c-7"})
    assert (person["email"], person["last_name"]) == ("person1@example.com", "Öz")
    assert (person["tags"], person["fields"], person["language"]) == (["vip"], {"shoe_size": 42}, "de")
    assert person["may_be_written_to"] is True
    assert heard.body["cart"]["lines"][0]["name"] == "Fjord 40" and heard.body["cart"]["total"] == "40.00"
    assert (delivery.state, delivery.provider, delivery.sender) == ("sent", "webhook", None)
    decided = Decision.objects.get(verdict="sent")
    assert decided.words == "The receiver answered 200: thanks"
    assert delivery.attempt_log.get().code == 200


def test_a_call_is_signed_as_the_standard_webhooks_libraries_verify_it(listening):
    with listening() as sink:
        queued()
        deliver()
    [heard] = sink.heard
    public_id = str(the_one().public_id)
    key = base64.b64decode(webhook_secret().removeprefix("whsec_"))
    assert key == tokens.derive("webhook")
    assert heard.headers["idempotency-key"] == heard.headers["webhook-id"] == heard.body["id"] == public_id
    stamp = heard.headers["webhook-timestamp"]
    assert stamp == str(int(AT.timestamp()))
    signed = f"{public_id}.{stamp}.".encode() + heard.raw
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert heard.headers["webhook-signature"] == f"v1,{expected}"


def test_addresses_stay_here_if_the_step_says_so(listening):
    with listening() as sink:
        queued(step={"kind": CALL["kind"], "params": {"url": URL}})
        deliver()
    [heard] = sink.heard
    assert "person1@example.com" not in heard.raw.decode() and "phone" not in heard.body["person"]
    assert heard.body["event"] == "Left carts"


TROUBLE = {
    "busy": (Fault("post", reply="503 busy", times=1), "503", "busy"),
    "too many": (Fault("post", reply="429 slow down", times=1), "429", "slow down"),
    "broken off": (Fault("post", drop=True, times=1), "", "could not be reached"),
    "slow": (Fault("post", delay=0.6, times=1), "", "did not answer within"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_what_is_not_answered_is_repeated_later_word_for_word_under_the_same_key(
    listening, monkeypatch, trouble
):
    fault, code, says = TROUBLE[trouble]
    monkeypatch.setattr(webhook, "SECONDS", 0.3 if trouble == "slow" else 5.0)
    with listening(fault) as sink:
        queued()
        deliver()
        delivery = the_one()
        assert (delivery.state, delivery.attempts) == ("queued", 1)
        assert AT < delivery.not_before <= AT + timedelta(minutes=2)
        attempt = delivery.attempt_log.get()
        assert (attempt.result, str(attempt.code or "")) == ("deferred", code)
        assert says in attempt.response
        Contact.objects.update(first_name="Changed")
        deliver(AT + timedelta(minutes=1, seconds=-30))
        assert len(sink.heard) == 1
        deliver(AT + timedelta(minutes=5))
    first, second = sink.heard
    assert first.raw == second.raw
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert the_one().state == "sent"


def test_after_twelve_attempts_it_gives_up_and_is_listed(listening, ada):
    with listening(Fault("post", reply="500 oh no")) as sink:
        queued()
        now = AT
        for _ in range(20):
            deliver(now)
            now += timedelta(hours=2)
    assert len(sink.heard) == 12
    delivery = the_one()
    assert (delivery.state, delivery.reason) == ("failed", "gave_up")
    assert Decision.objects.get(verdict="failed").words == "Given up after 12 attempts: 500 oh no"
    page = ada.get(reverse("admin:campaigns_delivery_changelist") + "?state=failed").content.decode()
    assert "The receiver said no, or nothing, to every attempt" in page


@pytest.mark.parametrize("reply", ["400 what?", "401 who?", "404 gone", "410 gone"])
def test_a_no_is_taken_for_a_no(listening, reply):
    with listening(Fault("post", reply=reply)) as sink:
        queued()
        deliver()
        deliver(AT + DAY)
    assert len(sink.heard) == 1
    assert (the_one().state, the_one().reason) == ("failed", "refused")
    assert Decision.objects.get(verdict="failed").words == f"Refused: {reply}"


def test_a_redirect_to_an_address_inside_is_not_followed(listening):
    with (
        HookSink() as inside,
        listening(Fault("post", reply=f"302 https://127.0.0.1:{inside.port}/secret")) as sink,
    ):
        queued()
        deliver()
        assert (len(sink.heard), inside.heard) == (1, [])
    assert Decision.objects.get(verdict="failed").words == (
        "Refused: 302 it redirects, and redirects are not followed"
    )


def test_a_name_that_leads_inside_is_never_connected_to(listening):
    with listening(inside_allowed=False) as sink:
        queued()
        deliver()
        assert sink.heard == []
    assert (the_one().state, the_one().reason) == ("failed", "unsendable")
    assert "not called" in Decision.objects.get(verdict="failed").words


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/",
        "https://hook.example:8443/",
        "https://ana:secret@hook.example/",
        "ftp://x/",
        "x",
    ],
)
def test_an_address_that_cannot_be_called_is_refused_while_it_is_typed(url):
    with pytest.raises(BrokenParams, match="cannot be asked"):
        steps.get("campaigns.webhook").read({"url": url})


def test_what_a_receiver_says_is_kept_short_and_harmless(listening):
    with listening(Fault("post", reply="200 " + "\0<b>x</b>\n" + "y" * 3000)):
        queued()
        deliver()
    response = the_one().attempt_log.get().response
    assert response.startswith("<b>x</b> yyy") and len(response) == 1000
    assert len(Decision.objects.get(verdict="sent").words) == 300


def test_an_endless_answer_is_no_answer(listening, monkeypatch):
    monkeypatch.setattr(webhook, "LONGEST_ANSWER", 100)
    with listening(Fault("post", reply="200 " + "y" * 300)):
        queued()
        deliver()
    assert the_one().state == "queued" and "more than 100 bytes" in the_one().attempt_log.get().response


def no_consent():
    ConsentState.objects.all().delete()


def test_nobodys_consent_is_asked_for_it_and_the_call_says_what_there_is(listening):
    with listening() as sink:
        queued()
        no_consent()
        Contact.objects.get().engagement.__class__.objects.update(may_receive=[])
        deliver()
    assert sink.heard[0].body["person"]["may_be_written_to"] is False
    assert the_one().state == "sent"


STOPS = {
    "the campaign is paused": (lambda: Campaign.objects.update(state="paused"), "queued", "campaign_paused"),
    "the campaign is stopped": (
        lambda: Campaign.objects.update(state="stopped"),
        "suppressed",
        "campaign_stopped",
    ),
    "all sending is held": (lambda: holding.hold("x", "ada", AT), "queued", ""),
    "this one is held": (lambda: Delivery.objects.update(is_held=True), "queued", ""),
    "it is late": (lambda: Delivery.objects.update(not_after=AT), "skipped", "late"),
    "they bought": (lambda: stage.buy(Contact.objects.get(), AT), "suppressed", "purchased"),
    "the cart is empty": (
        lambda: Contact.objects.get().carts.update(state="emptied", item_count=0),
        "skipped",
        "cart_emptied",
    ),
}


@pytest.mark.parametrize("what", STOPS)
def test_what_stops_a_message_stops_a_call(listening, what):
    stop, state, reason = STOPS[what]
    with listening() as sink:
        queued(exit_on_purchase=True)
        stop()
        deliver()
        assert sink.heard == []
    assert (the_one().state, the_one().reason) == (state, reason)


@pytest.mark.parametrize("how", ["control", "shadow"])
def test_for_the_control_group_and_in_shadow_nobody_is_told(how):
    changed = {"control_share": Decimal(1)} if how == "control" else {"is_shadow": True}
    queued(**changed)
    assert not Delivery.objects.exists()
    assert Decision.objects.exclude(step_key="").get().verdict == {"control": "held_out"}.get(how, how)


def test_a_call_whose_caller_died_is_made_again_for_the_receiver_knows_it_by_its_key(listening):
    queued()
    claimed = claim("webhook", AT, 1)
    webhooks.prepare(claimed, AT)
    assert fencing.fence(claimed, AT)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns_delivery SET lease_until = now() - interval '1 second'")
    assert outbox.reap() == 1
    assert (the_one().state, the_one().reason) == ("queued", "sender_died")
    with listening() as sink:
        deliver()
    assert len(sink.heard) == 1 and the_one().state == "sent"


def test_a_receiver_that_is_silent_is_left_alone_until_the_next_run(listening, settings, monkeypatch):
    settings.REKINDLE_CONVERSATIONS = 1
    with listening(Fault("post", drop=True, times=3)) as sink:
        queued(6)
        deliver()
        assert len(sink.heard) == 3
        assert set(Delivery.objects.values_list("state", flat=True)) == {"queued"}
        assert Delivery.objects.filter(attempt_log=None, reason="unreachable").count() == 3
        deliver(AT + timedelta(hours=1))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_who_is_no_longer_known_and_a_step_that_is_gone_end_it_with_the_reason(listening):
    with listening() as sink:
        queued(2)
        first, second = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=first.pk).update(step_key="gone")
        Delivery.objects.filter(pk=second.pk).update(subject_kind="")
        Contact.objects.filter(pk=second.contact_id).delete()
        deliver()
        assert sink.heard == []
    ends = dict(Delivery.objects.values_list("pk", "reason"))
    assert ends == {first.pk: "no_step", second.pk: "no_contact"}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"skipped"}


def test_an_address_that_was_mended_is_used_for_what_waits(listening):
    with listening(Fault("post", reply="500 x", times=1)) as sink:
        queued()
        deliver()
        Step.objects.update(params={**CALL["params"], "url": "https://localhost/mended"})
        deliver(AT + timedelta(minutes=5))
    assert [heard.path for heard in sink.heard] == ["/hook?shop=1", "/mended"]


def test_a_call_is_no_message(listening):
    """It is in the person's history, and counts in nothing that counts messages."""
    with listening():
        campaign = queued()
        deliver()
    entries = sources.get("campaigns.deliveries").page(Contact.objects.get().pk, None, 10)
    assert [entry.title for entry in entries] == ["Webhook: sent"]
    assert reporting.campaign_at_work(campaign, AT - DAY).sent == 0
    assert reporting.cart_funnel(AT - DAY, AT + DAY).reminded == 0


def test_a_walk_says_who_would_be_told_and_tells_nobody(listening):
    with listening() as sink:
        campaign = queued()
        Delivery.objects.all().delete()
        stops = trying.walk(campaign, Contact.objects.get(), AT)
        assert "To be told to localhost." in [stop.words for stop in stops]
        deliver()
        assert sink.heard == [] and not Delivery.objects.exists()


def test_its_page_shows_what_was_said_and_the_key_can_be_read(listening, ada):
    with listening():
        queued()
        deliver()
    delivery = the_one()
    said = ada.get(reverse("admin:campaigns_delivery_as_sent", args=[delivery.pk])).content.decode()
    assert "POST https://localhost/hook?shop=1" in said and "cart left" in said
    page = ada.get(reverse("admin:campaigns_delivery_change", args=[delivery.pk])).content.decode()
    assert "The receiver answered 200: thanks" in page
    answer = ada.post(reverse("admin:crm_serverkey_webhook_key"), follow=True).content.decode()
    assert webhook_secret() in unescape(answer)


def test_twenty_people_cost_no_more_queries_than_one(listening):
    with listening():
        campaign = queued()

        def cost():
            with CaptureQueriesContext(connection) as asked:
                stage.advance(AT)
                webhooks.prepare(claim("webhook", AT, 50), AT)
            Delivery.objects.all().delete()
            return len(asked)

        Delivery.objects.all().delete()
        Enrolment.objects.all().delete()
        stage.enrol(AT)
        one = cost()
        for number in range(2, 22):
            stage.leave_cart(stage.shopper(campaign, number), AT - 10 * MINUTE)
        stage.enrol(AT)
        assert cost() <= one
