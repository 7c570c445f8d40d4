"""What rules can say of a contact: exact in the past where they say so, one meaning, reasons in words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.kernel import rules, tokens
from crm.kernel.rules import Scope
from crm.models import Contact, Product, Segment, SegmentMembership, Suppression
from crm.people import changes, permitted
from crm.people.consent import Said, may_send, record
from crm.people.identity import Known, resolve
from crm.shop.intake import SHOP, LineIn, OrderIn, ProductIn, record_orders, record_products

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def days_ago(number):
    return NOW - timedelta(days=number)


@pytest.fixture
def cast(db):
    """Ana buys headphones, Boris never buys, Chen cancelled, Dana bought long ago."""
    names = ["Ana", "Boris", "Chen", "Dana"]
    known = [Known(email=f"{name.lower()}@example.com", first_name=name) for name in names]
    ids = resolve(known, days_ago(400), source="shop")
    record_products([ProductIn("h1", name="Over-ear", category="Headphones", brand="Aria")], NOW, source=SHOP)
    lines = (LineIn("Over-ear", product="h1", unit_price=Decimal(50)),)
    told = [
        ("1", ids[0], 3, "placed", lines),
        ("2", ids[0], 30, "placed", ()),
        ("3", ids[2], 2, "cancelled", lines),
        ("4", ids[3], 200, "placed", lines),
    ]
    for number, contact_id, age, status, bought in told:
        order = OrderIn(
            number, days_ago(age), Decimal(50), contact_id=contact_id, status=status, lines=bought
        )
        record_orders([order], NOW, source=SHOP, is_backfill=True)
    found = Contact.objects.in_bulk(ids)
    return {name: found[contact_id] for name, contact_id in zip(names, ids, strict=True)}


def rule(kind, **params):
    return {"all": [{"kind": kind, "params": params}]}


def who(document, at=NOW, scope=None):
    return set(
        Contact.objects.filter(rules.compile(document, at, scope)).values_list("first_name", flat=True)
    )


def test_bought(cast):
    assert who(rule("crm.ordered", times="1")) == {"Ana", "Dana"}
    assert who(rule("crm.ordered", times="2")) == {"Ana"}
    assert who(rule("crm.ordered", times="1", within_days="90")) == {"Ana"}
    assert who(rule("crm.ordered", times="1", category="headphones")) == {"Ana", "Dana"}
    assert who(rule("crm.ordered", times="2", category="headphones")) == set()
    assert who(rule("crm.ordered", times="1", brand="Aria", product="h1", within_days="10")) == {"Ana"}
    assert who({"none": [{"kind": "crm.ordered", "params": {"times": "1"}}]}) == {"Boris", "Chen"}
    assert who(rule("crm.ordered", times="2"), at=days_ago(10)) == set()
    assert who(rule("crm.ordered", times="0")) == set()
    assert rules.sentence(rule("crm.ordered", times="2", category="Headphones", within_days="90")) == (
        "People who bought in Headphones at least 2 times in the last 90 days."
    )


def test_why_bought(cast):
    document = rule("crm.ordered", times="2", category="Headphones")
    found = rules.explain(Contact.objects.filter(pk=cast["Ana"].pk), document, NOW)
    assert not found.is_match
    assert found.root.leaves()[0].evidence == "bought once, last on 27 February 2026"
    found = rules.explain(Contact.objects.filter(pk=cast["Boris"].pk), document, NOW)
    assert found.root.leaves()[0].evidence == "bought never"


def test_bought_since_entering(cast):
    document = rule("crm.ordered_since_entering", times="1")
    assert who(document) == set()
    assert who(document, scope=Scope(entered_at=days_ago(5))) == {"Ana"}
    assert who(document, scope=Scope(entered_at=days_ago(1))) == set()
    assert who(document, at=days_ago(4), scope=Scope(entered_at=days_ago(5))) == set()


def test_spent(cast):
    assert who(rule("crm.spent", at_least="50")) == {"Ana", "Dana"}
    assert who(rule("crm.spent", at_least="100.00")) == {"Ana"}
    assert who(rule("crm.spent", at_least="51", within_days="20")) == set()
    record_orders(
        [
            OrderIn(
                "1", days_ago(3), Decimal(50), contact_id=cast["Ana"].pk, refunded=Decimal(10), source_at=NOW
            )
        ],
        NOW,
    )
    assert who(rule("crm.spent", at_least="100.00")) == set()


def test_attributes_now_and_then(cast):
    ana = cast["Ana"]
    before = Contact.objects.get(pk=ana.pk)
    ana.country, ana.language, ana.tags = "DE", "pt-BR", ["vip"]
    ana.save()
    changes.note(before, ana, days_ago(5), actor="Mia")
    for document in (
        rule("crm.country", countries="at, de"),
        rule("crm.language", language="PT"),
        rule("crm.tag", tag="vip"),
    ):
        assert who(document) == {"Ana"}, document
        assert who(document, at=days_ago(6)) == set(), document
        found = rules.explain(Contact.objects.filter(pk=ana.pk), document, days_ago(6))
        assert found.exact and not found.is_match
    assert who(rule("crm.country", countries="Germany")) == set()
    assert who(rule("crm.name", contains="an")) == {"Ana", "Dana"}
    assert who(rule("crm.known_since", which="least", days="300")) == {"Ana", "Boris", "Chen", "Dana"}
    assert who(rule("crm.known_since", which="most", days="300")) == set()
    assert who(rule("crm.reachable", channel="email")) == {"Ana", "Boris", "Chen", "Dana"}
    assert who(rule("crm.reachable", channel="sms")) == set()


def test_in_segment(cast):
    segment = Segment.objects.create(name="Fans")
    for name, left_at in (("Ana", None), ("Boris", days_ago(1))):
        SegmentMembership.objects.create(
            contact=cast[name], segment=segment, entered_at=days_ago(9), left_at=left_at
        )
    document = rule("crm.in_segment", segment=str(segment.pk))
    assert who(document) == {"Ana"}
    assert who(document, at=days_ago(2)) == {"Ana", "Boris"}
    assert who(document, at=days_ago(10)) == set()
    assert rules.sentence(document) == "People who are in the segment “Fans”."
    segment.delete()
    assert who(document) == set() and rules.problems(document)


def test_consent_as_of_then(cast):
    ana = tokens.address_hash("email", "ana@example.com")[0]
    record([Said(ana, "email", "newsletter", "granted", days_ago(9), "form", is_backfill=True)], NOW)
    record([Said(ana, "email", None, "withdrawn", days_ago(2), "unsubscribe", is_backfill=True)], NOW)
    document = rule("crm.consent", purpose="newsletter", channel="email")
    assert who(document) == set()
    assert who(document, at=days_ago(3)) == {"Ana"}
    assert who(rule("crm.consent", purpose="transactional", channel="email")) == set(cast)
    found = rules.explain(Contact.objects.filter(pk=cast["Ana"].pk), document, NOW)
    assert found.root.leaves()[0].evidence == "last word: withdrawn, on 28 February 2026"
    assert who(rule("crm.consent", purpose="gone", channel="email")) == set()


NAMED = ("granted", "confirmed", "requested", "imported")

words = st.tuples(
    st.sampled_from(
        ["granted", "granted", "confirmed", "withdrawn", "objected", "refused", "expired", "requested"]
    )
    | st.sampled_from(["complained", "erased", "bounced", "imported"]),
    st.sampled_from(["newsletter", "newsletter", "win_back", None]),
    st.sampled_from(["form", "import", "staff"]),
    st.integers(0, 6),
)


class OneMeaning(TestCase):
    @pytest.mark.proof
    @settings(max_examples=40)
    @given(st.lists(words, max_size=7), st.booleans(), st.integers(0, 7))
    def test_the_condition_and_the_question_for_one_agree_at_any_instant(self, told, by_hand, then):
        resolve([Known(email="ana@example.com", first_name="Ana")], days_ago(30), source="shop")
        ana = tokens.address_hash("email", "ana@example.com")[0]
        said = [
            Said(
                ana,
                "email",
                purpose or ("newsletter" if action in NAMED else None),
                action,
                days_ago(age),
                source,
                wording="Yes",
                source_ref="list",
                is_backfill=True,
            )
            for action, purpose, source, age in told
        ]
        record(said, NOW)
        if by_hand and told:
            Suppression.objects.get_or_create(
                address_hash=ana,
                channel="email",
                purpose=None,
                defaults={"reason": "staff", "since": days_ago(3)},
            )
            permitted.keep(Contact.objects.values_list("pk", flat=True))
        for key in ("newsletter", "win_back", "transactional"):
            expected = may_send(ana, "email", key, at=days_ago(then))[0]
            found = who(rule("crm.consent", purpose=key, channel="email"), at=days_ago(then))
            assert found == ({"Ana"} if expected else set()), (key, told)
            assert may_send(ana, "email", key) == may_send(ana, "email", key, at=NOW)
            found = who(rule("crm.consent", purpose=key, channel="email"), scope=Scope(current=True))
            assert found == ({"Ana"} if may_send(ana, "email", key)[0] else set()), (key, told)


@pytest.mark.django_db
def test_every_condition_is_broken_by_nonsense_and_then_means_nobody(cast):
    assert Product.objects.exists()
    for condition in rules.conditions:
        if condition.key.startswith("crm."):
            for junk in ({"no_such": "1"}, {"times": "x"}, {"segment": "not-a-uuid"}, {}):
                assert who(rule(condition.key, **junk)) in (
                    set(),
                    who(rule(condition.key, **condition.blank())),
                )
