"""What is kept of whom one may write to is what the truth says, whatever was said and changed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crm.kernel import rules, tokens
from crm.kernel.rules import Scope
from crm.kernel.work import Budget
from crm.models import Channel, ConsentState, Contact, ContactPoint, Engagement, Purpose
from crm.people import addresses, consent, permitted
from crm.people.identity import Known, resolve
from tests.crm.asking import who

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEGIN = NOW - timedelta(days=90)
MAILS = ["ana@example.com", "ana+shop@example.com", "boris@example.com", "chen@example.com"]
HOURS = st.integers(1, 2000).map(lambda hours: NOW - timedelta(hours=hours))


def said(mail, purpose, action, at, source):
    digest = tokens.address_hash("email", mail)[0]
    everything = action in ("complained", "bounced", "erased") or (purpose is None and action == "withdrawn")
    purpose = None if everything else purpose or "newsletter"
    return consent.Said(
        digest, "email", purpose, action, at, source, mail, wording="Yes", source_ref="a list"
    )


def tell(steps):
    """One step after the other: a word on an address, an address for somebody, a purpose switched."""
    for kind, *told in steps:
        if kind == "said":
            consent.record([said(*one) for one in told], NOW)
        elif kind == "known":
            resolve([Known(email=mail, external_id=shop_id) for mail, shop_id in told], NOW, source="shop")
        elif kind == "first":
            mail, number = told
            contact = Contact.objects.order_by("pk")[number % Contact.objects.count()]
            try:
                addresses.set_primary(contact, Channel.EMAIL, mail, NOW)
            except addresses.Taken:
                continue
        else:
            Purpose.objects.filter(key="newsletter").update(is_active=told[0])


def truly(purpose, channel):
    points = ContactPoint.objects.filter(channel=channel, is_primary=True)
    allowed = points.filter(consent.allowed_for("address_hash", "channel", purpose))
    return set(allowed.values_list("contact", flat=True))


def as_kept(purpose, channel):
    rule = {"all": [{"kind": "crm.consent", "params": {"purpose": purpose.key, "channel": channel}}]}
    found = Contact.objects.filter(rules.compile(rule, NOW, Scope(current=True)))
    return set(found.values_list("pk", flat=True))


WORDS = st.tuples(
    st.sampled_from(MAILS),
    st.sampled_from(["newsletter", "newsletter", "cart_recovery", None]),
    st.sampled_from(
        ["granted", "granted", "confirmed", "withdrawn", "refused", "complained", "bounced", "expired"]
    ),
    HOURS,
    st.sampled_from(["form", "form", "import", "staff"]),
)
STEPS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=3).map(lambda words: ("said", *words)),
    st.tuples(st.just("known"), st.tuples(st.sampled_from(MAILS), st.sampled_from(["", "c1", "c2"]))),
    st.tuples(st.just("first"), st.sampled_from([*MAILS, ""]), st.integers(0, 9)),
    st.tuples(st.just("switch"), st.booleans()),
)


@pytest.mark.proof
@given(st.lists(STEPS, min_size=6, max_size=14))
@settings(
    max_examples=6,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_what_is_kept_is_what_the_truth_says(db, steps):
    with transaction.atomic():
        resolve([Known(email=MAILS[0], external_id="c1")], BEGIN, source="shop")
        tell(steps)
        for purpose in Purpose.objects.all():
            for channel in Channel.values:
                assert as_kept(purpose, channel) == truly(purpose, channel), (purpose, channel)
        assert permitted.mend() == 0
        transaction.set_rollback(True)


def test_people_of_before_are_read_in_the_background_and_the_truth_is_asked_until_then(monkeypatch):
    monkeypatch.setattr(permitted, "_whole", False)
    monkeypatch.setattr(permitted, "BATCH", 1)
    resolve([Known(email=mail, first_name=mail[:3]) for mail in MAILS[1:]], BEGIN, source="shop")
    consent.record([said(MAILS[2], "newsletter", "granted", BEGIN, "form")], NOW)
    Engagement.objects.update(may_receive=None)
    asked = {"purpose": "newsletter", "channel": "email"}

    assert who("crm.consent", NOW, Scope(current=True), **asked) == {"bor"} and not permitted.are_kept()
    assert permitted.keep_waiting(Budget(30)) == 3 and permitted.are_kept()
    assert who("crm.consent", NOW, Scope(current=True), **asked) == {"bor"}
    assert permitted.keep_waiting(Budget(30)) == 0


def test_what_was_missed_is_mended_once_a_day():
    resolve([Known(email=mail, first_name=mail[:3]) for mail in MAILS[2:]], BEGIN, source="shop")
    consent.record([said(MAILS[2], "newsletter", "granted", BEGIN, "form")], NOW)
    kept = Engagement.objects.get(contact__first_name="bor").may_receive
    Engagement.objects.filter(contact__first_name="bor").update(may_receive=[])
    Engagement.objects.filter(contact__first_name="che").update(may_receive=kept)
    assert permitted.mend() == 2
    assert list(Engagement.objects.exclude(may_receive=[]).values_list("contact__first_name", flat=True)) == [
        "bor"
    ]
    assert ConsentState.objects.filter(may_send=True).count() == 1 and permitted.mend() == 0
