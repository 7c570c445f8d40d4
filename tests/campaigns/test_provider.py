"""Mail through a provider's API: one call a person, and certain only where the answer is."""

import json
import socket
import time

import pytest
from anymail.backends.postmark import EmailBackend as Postmark
from django.core.mail.backends.locmem import EmailBackend as InMemory

from campaigns.delivery.channels.letters import Ending, Letter
from campaigns.delivery.channels.provider import ProviderCourier
from tests.campaigns.letters import endings, everyone, letters, mail, outcomes
from tests.sink.faults import Fault
from tests.sink.http import HttpSink


def carry(
    sink: HttpSink, carried: list[Letter], fence=everyone, *, calls: int = 4, token: str = "token", timeout=5
):
    courier = ProviderCourier(
        lambda: Postmark(server_token=token, api_url=sink.url, timeout=timeout), calls=calls
    )
    try:
        return outcomes(courier, carried, fence)
    finally:
        courier.close()


def test_each_letter_is_one_call_with_its_delivery_in_the_metadata():
    with HttpSink() as sink:
        found = carry(sink, letters(30))
        assert endings(found) == {Ending.SENT: 30}
        assert set(sink.copies()) == {mail(n).public_id for n in range(1, 31)}
        assert set(sink.copies().values()) == {1}
        assert len({outcome.provider_message_id for outcome in found.values()}) == 30
        first = next(one for one in sink.accepted() if one.recipient == "person1@example.com")
        posted = json.loads(first.raw)
        assert posted["From"] == "Anna Müller <anna@shop.test>" or "Anna" in posted["From"]
        assert posted["HtmlBody"] == mail(1).html and posted["TextBody"] == mail(1).text
        named = {header["Name"]: header["Value"] for header in posted["Headers"]}
        assert named["List-Unsubscribe"] == "<https://m.shop.test/u/1>"
        assert named["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert named["X-Rekindle-Delivery"] == mail(1).public_id


def test_a_no_from_the_fence_makes_no_call():
    with HttpSink() as sink:
        found = carry(sink, letters(20), lambda waiting: {one.key for one in waiting if one.key % 2})
        assert endings(found) == {Ending.SENT: 10, Ending.NOT_FENCED: 10}
        assert len(sink.accepted()) == 10


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        (Fault("post", reply="429"), Ending.DEFERRED),
        (
            Fault("post", reply='422 {"ErrorCode": 300, "Message": "Invalid \'To\' address: \'x\'."}'),
            Ending.REFUSED,
        ),
        (Fault("post", reply="400"), Ending.REFUSED),
        (Fault("post", reply="401"), Ending.UNREACHABLE),
        (Fault("post", reply="408"), Ending.UNKNOWN),
        (Fault("post", reply="500", keep=True), Ending.UNKNOWN),
        (Fault("post", reply="503"), Ending.UNKNOWN),
        (Fault("post", reply="200 not json", keep=True), Ending.UNKNOWN),
        (Fault("post", reply="200 {}", keep=True), Ending.UNKNOWN),
        (Fault("post", drop=True, keep=True), Ending.UNKNOWN),
        (Fault("post", drop=True), Ending.UNKNOWN),
        (Fault("post", delay=1.0), Ending.UNKNOWN),
    ],
    ids=lambda value: getattr(value, "reply", None) or str(value)[:40],
)
def test_every_answer_has_its_meaning(fault, ending):
    with HttpSink(fault) as sink:
        found = carry(sink, letters(2), timeout=0.3 if fault.delay else 30)
        assert {outcome.ending for outcome in found.values()} == {ending}
        assert all(outcome.fenced for outcome in found.values())
        assert sink.faults.fired == 2, "never a second call"


def test_a_provider_that_cannot_be_reached_was_certainly_not_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        courier = ProviderCourier(lambda: Postmark(server_token="token", api_url=url), calls=2)
        found = outcomes(courier, letters(3))
        assert endings(found) == {Ending.UNREACHABLE: 3}
        courier.close()
    courier = ProviderCourier(
        lambda: Postmark(server_token="token", api_url="http://nowhere.invalid/"), calls=2
    )
    assert endings(outcomes(courier, letters(1))) == {Ending.UNREACHABLE: 1}
    courier.close()


def test_what_may_not_be_sent_is_told_before_the_fence():
    asked = []

    def fence(waiting):
        asked.extend(waiting)
        return everyone(waiting)

    with HttpSink() as sink:
        found = carry(
            sink, [Letter("bad", mail(1, to_address="a@b\r\nBcc: c@d")), *letters(1, first=2)], fence
        )
        assert found["bad"].ending is Ending.UNSENDABLE and not found["bad"].fenced
        assert [letter.key for letter in asked] == [2] and len(sink.accepted()) == 1


def test_a_fence_that_raises_ends_the_run():
    def fence(waiting):
        raise ConnectionError("database gone")

    with HttpSink() as sink:
        with pytest.raises(ConnectionError):
            carry(sink, letters(5), fence)
        assert sink.accepted() == []


def test_calls_run_side_by_side():
    with HttpSink(Fault("post", delay=0.5)) as sink:
        began = time.monotonic()
        assert endings(carry(sink, letters(16), calls=8)) == {Ending.SENT: 16}
        # One after the other they take eight seconds.
        assert time.monotonic() - began < 7


def test_a_backend_of_djangos_own_is_taken_at_its_word(mailoutbox):
    courier = ProviderCourier(InMemory, calls=1)
    found = outcomes(courier, letters(2))
    assert endings(found) == {Ending.SENT: 2} and len(mailoutbox) == 2
    courier.close()
