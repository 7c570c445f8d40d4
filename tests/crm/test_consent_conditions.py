"""Addresses and what was said of them, asked by rules; who records it stirs whoever has the address."""

from datetime import timedelta

import pytest

from crm.kernel import rules, tokens
from crm.kernel.rules import Scope
from crm.models import Contact, ContactPoint, Engagement, Purpose, Suppression
from crm.people.consent import Said, rebuild_states, record
from crm.people.identity import Known, resolve
from tests.crm.asking import NOW, YESTERDAY, asked, said, same, told, who

MAIL = {"purpose": "newsletter", "channel": "email"}


def mail(name):
    return f"{name.lower()}@x.example"


@pytest.fixture
def people(db):
    known = [Known(email=mail(name), first_name=name) for name in ("Ana", "Boris", "Chen")]
    known.append(Known(phone="+4930901820", first_name="Dana"))
    resolve(known, NOW - timedelta(days=90), source="shop")
    Engagement.objects.update(stirred=0)


def say(name, action, at=YESTERDAY, source="form", purpose="newsletter"):
    digest = tokens.address_hash("email", mail(name))[0]
    told_of = Said(digest, "email", purpose, action, at, source, mail(name), wording="Yes", source_ref="x")
    record([told_of], NOW)


def stirred():
    found = Contact.objects.filter(engagement__stirred__gt=0)
    return set(found.values_list("first_name", flat=True))


def test_may_be_written_to(people):
    say("Ana", "granted")
    assert stirred() == {"Ana"}
    assert same("crm.consent", **MAIL) == {"Ana"}
    assert same("crm.consent", purpose="transactional", channel="email") == {"Ana", "Boris", "Chen"}
    assert said("crm.consent", **MAIL) == "may be written to by E-mail about Newsletter"
    assert told("Ana", "crm.consent", **MAIL) == "last word: granted, on 1 March 2026"
    assert told("Boris", "crm.consent", **MAIL) == "has never said anything"
    say("Ana", "withdrawn", NOW)
    assert same("crm.consent", **MAIL) == set()
    assert who("crm.consent", at=NOW - timedelta(hours=1), **MAIL) == set()
    Purpose.objects.filter(key="transactional").update(is_active=False)
    assert same("crm.consent", purpose="transactional", channel="email") == set()


def test_how_consent_stands(people):
    say("Ana", "requested")
    say("Boris", "granted")
    say("Boris", "withdrawn", NOW)
    say("Chen", "imported", source="import")
    for status, expected in (
        ("pending", {"Ana"}),
        ("withdrawn", {"Boris"}),
        ("granted", set()),
        ("unknown", {"Chen"}),
    ):
        assert same("crm.consent_status", status=status, **MAIL) == expected
    assert said("crm.consent_status", status="pending", **MAIL) == (
        "stand at “waiting for confirmation” for Newsletter by E-mail"
    )
    assert told("Ana", "crm.consent_status", status="granted", **MAIL) == (
        "waiting for confirmation since 1 March 2026"
    )
    assert told("Chen", "crm.consent_status", status="granted", **MAIL) == "nothing said yet"


def test_suppressed_reachable_and_proven(people):
    say("Ana", "confirmed")
    say("Boris", "bounced", purpose=None, source="provider")
    assert same("crm.suppressed", channel="email", reason="anything") == {"Boris"}
    assert same("crm.suppressed", channel="email", reason="complained") == set()
    assert told("Boris", "crm.suppressed", channel="email", reason="complained") == (
        "bounced for good, since 1 March 2026"
    )
    assert said("crm.suppressed", channel="email", reason="staff") == (
        "are suppressed for E-mail: stopped by a colleague"
    )
    assert same("crm.reachable", channel="email") == {"Ana", "Chen"}
    assert same("crm.reachable", channel="sms") == {"Dana"}
    assert told("Boris", "crm.reachable", channel="email") == "boris@x.example: bounced for good"
    assert told("Boris", "crm.reachable", channel="sms") == "no address for SMS"
    assert same("crm.verified", channel="email") == {"Ana"}
    assert who("crm.verified", at=YESTERDAY - timedelta(hours=1), channel="email") == set()
    assert told("Ana", "crm.verified", channel="email") == "proven on 1 March 2026"
    assert said("crm.verified", channel="email") == "have proven an address for E-mail"


def test_a_colleague_confirming_for_somebody_proves_nothing(people):
    say("Ana", "confirmed", source="staff")
    assert ContactPoint.objects.filter(verified_at=None).count() == 4


def test_states_that_are_repaired_stir_their_people(people):
    say("Ana", "granted")
    Engagement.objects.update(stirred=0)
    assert rebuild_states() == 0
    assert stirred() == set()
    Suppression.objects.all().delete()
    say("Boris", "withdrawn")
    Suppression.objects.all().delete()
    Engagement.objects.update(stirred=0)
    assert rebuild_states() > 0
    assert "Boris" in stirred()


def test_time_alone_changes_no_consent_and_a_purpose_that_is_gone_means_nobody(people):
    for kind, params in (
        ("crm.consent", MAIL),
        ("crm.reachable", {"channel": "email"}),
        ("crm.suppressed", {"channel": "email", "reason": "anything"}),
    ):
        assert rules.drift(asked(kind, **params), YESTERDAY, NOW, Scope(current=True)) == []
    Purpose.objects.filter(key="win_back").delete()
    assert rules.problems(asked("crm.consent", purpose="win_back", channel="email"))
    assert who("crm.consent", purpose="win_back", channel="email") == set()
