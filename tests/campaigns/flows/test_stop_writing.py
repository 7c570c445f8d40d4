"""The step that stops writing to people who did not say that they want to hear from us."""

from datetime import timedelta

import pytest

from campaigns.flows import trying
from campaigns.models import Decision, Enrolment
from crm.models import ConsentEvent, ConsentState, Contact
from crm.people import consent
from tests import office
from tests.campaigns.flows.stage import AT, DELAY, flow, leave_cart, run

pytestmark = pytest.mark.django_db
STOP = {"kind": "campaigns.stop_writing"}
BEFORE = AT - timedelta(days=9)


def digest(person: Contact) -> bytes:
    return bytes(person.points.get().address_hash)


def agrees(person: Contact, purpose: str, at=BEFORE) -> None:
    said = consent.Said(
        digest(person), "email", purpose, "granted", at, "form", person.email, person.pk, "Yes, please"
    )
    consent.record([said], at)


def may_get(person: Contact) -> set[str]:
    rows = ConsentState.objects.filter(address_hash=digest(person), may_send=True)
    return set(rows.values_list("purpose__key", flat=True))


@pytest.fixture
def ana(db) -> Contact:
    person = office.person(now=BEFORE)
    agrees(person, "newsletter")
    agrees(person, "click_tracking")
    leave_cart(person, AT - DELAY)
    return person


def test_what_they_agreed_to_for_marketing_expires_and_nothing_else(ana):
    flow(STOP)
    assert may_get(ana) == {"cart_recovery", "newsletter", "click_tracking"}
    run(AT)
    assert may_get(ana) == {"click_tracking"}
    said = ConsentEvent.objects.filter(action="expired")
    assert {(one.purpose.key, one.source_kind, one.occurred_at) for one in said} == {
        ("cart_recovery", "flow", AT),
        ("newsletter", "flow", AT),
    }
    assert consent.verify_chain(digest(ana)) == []
    assert "expired" in Decision.objects.get(reason="consent_expired").words
    assert Enrolment.objects.get().state == Enrolment.State.FINISHED


def test_only_they_bring_it_back_by_agreeing_again(ana):
    flow(STOP)
    run(AT)
    agrees(ana, "newsletter", AT + timedelta(days=1))
    assert may_get(ana) == {"click_tracking", "newsletter"}


@pytest.mark.parametrize("changes", [{"control_share": 1}, {"is_shadow": True}])
def test_nobody_is_stopped_who_was_not_asked(ana, changes):
    flow(STOP, **changes)
    run(AT)
    assert "newsletter" in may_get(ana) and not ConsentEvent.objects.filter(action="expired").exists()
    assert Decision.objects.filter(verdict__in=["held_out", "shadow"]).exists()


def test_a_walk_stops_nobody(ana):
    office.sender()
    campaign = flow(STOP)
    words = [stop.words for stop in trying.walk(campaign, ana, AT)]
    assert any("expired" in said for said in words)
    assert "newsletter" in may_get(ana)
