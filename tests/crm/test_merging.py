"""Two contacts become one and two again: nothing is lost, nothing is gained that nobody agreed to."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.models import Delivery, Due, Enrolment, OfferSlot
from crm.kernel import timeline, tokens
from crm.kernel.keeping import in_order
from crm.models import (
    Contact,
    ContactPoint,
    Engagement,
    MergeProposal,
    Order,
    OutsideId,
    Segment,
    SegmentMembership,
)
from crm.people import changes, consent, desk, identity, merging, pausing, restraint
from crm.people.merging import CannotMerge
from crm.shop.intake import LineIn, OrderIn, record_orders
from tests import office
from tests.office import NOW
from tracking.models import DailyCount, Event, Visit

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)
SECOND = "ana.second@shop-customers.example"


def order(contact, number, at=NOW, **more):
    lines = (LineIn(name="Blanket", unit_price="30.00"),)
    told = OrderIn(
        external_id=number,
        placed_at=at,
        total="30.00",
        contact_id=contact.pk,
        currency="EUR",
        lines=lines,
        **more,
    )
    record_orders([told], LATER, source="shop")


def digest(mail):
    return tokens.address_hash("email", mail)[0]


def say(mail, action, purpose="newsletter", at=NOW, source="form"):
    said = consent.Said(digest(mail), "email", purpose, action, at, source, wording="Yes.", address=mail)
    consent.record([said], at)


@pytest.fixture
def pair(world):
    """Ana, and Ana again by another address, each with a life of her own."""
    one = world.contact
    other = office.person(SECOND, first_name="Anna", last_name="", language="pt", phone="+4915155512345")
    OutsideId.objects.create(source="shop", kind="customer", external_id="c-2", contact_id=other.pk)
    changes.change([one.pk], lambda _: {"tags": ["a", "b"], "fields": {"size": 40}}, NOW, actor="x")
    changes.change(
        [other.pk], lambda _: {"tags": ["b", "c"], "fields": {"size": 41, "hat": "L"}}, NOW, actor="x"
    )
    for contact, number in ((one, "o-1"), (other, "o-2"), (other, "o-3")):
        order(contact, number)
    for contact, hours in ((one, 1), (other, 1), (other, 2)):
        at = NOW - timedelta(hours=hours)
        Event.objects.create(contact=contact, kind="page", url="/a", occurred_at=at, recorded_at=at)
    desk.write_note(other.pk, "Spoke of wool.", NOW, by="sara")
    pausing.pause(one.pk, LATER, NOW, by="sara")
    pausing.pause(other.pk, LATER, NOW, by="sara")
    segment = Segment.objects.create(name="List", kind="fixed", created_at=NOW)
    for contact in (one, other):
        SegmentMembership.objects.create(segment=segment, contact=contact, entered_at=NOW)
        OfferSlot.objects.create(
            contact=contact,
            on_date=NOW.date(),
            held_for=contact.pk,
            begins_at=NOW,
            ends_at=LATER,
            taken_at=NOW,
        )
    for kept in in_order():
        kept.settle([one.pk, other.pk], NOW)
    one.refresh_from_db()
    other.refresh_from_db()
    return one, other


def everything(*contacts):
    """Every row of these people in every table, but for what only says that something was touched."""
    noise = {"stirred", "updated_at", "merged_into_id"}
    # Undoing is remembered: these grow.
    growing = {"crm.changes", "crm.mergings", "crm.merged_rows", "crm.proposals"}
    # Counted anew, with new keys.
    derived = {"crm.bought", "tracking.daily_counts", "tracking.visits", "crm.engagement"}
    found = {}
    for kept in in_order():
        if kept.key in growing or not kept.by:
            continue
        rows = kept.model._base_manager.filter(**{f"{kept.by}__in": [one.pk for one in contacts]})
        left_out = noise | ({"id"} if kept.key in derived else set())
        told = [
            tuple(sorted((key, str(value)) for key, value in row.items() if key not in left_out))
            for row in rows.values()
        ]
        found[kept.key] = sorted(told)
    return found


def test_everything_becomes_theirs_and_undoing_brings_both_back_exactly(pair):
    one, other = pair
    whole = everything(one, other)
    with transaction.atomic():
        made = merging.merge(one.pk, other.pk, LATER, by="sara", why="same telephone")
        connection.check_constraints()
    one.refresh_from_db()
    other.refresh_from_db()
    assert other.merged_into == one and str(one) == "Ana Oliveira" and one.language == "pt"
    assert one.phone == "+4915155512345" and one.tags == ["a", "b", "c"]
    assert one.fields == {"size": 40, "hat": "L"}
    assert Order.objects.filter(contact=one).count() == 4
    assert {line.contact_id for order in Order.objects.filter(contact=one) for line in order.lines.all()} == {
        one.pk
    }
    engagement = Engagement.objects.get(contact=one)
    assert engagement.order_count == 4 and engagement.spent == sum(o.total for o in one.orders.all())
    assert DailyCount.objects.get(contact=one, kind="page").number == 3 and not Visit.objects.filter(
        contact=other
    )
    assert {point.is_primary for point in ContactPoint.objects.filter(contact=one, channel="email")} == {
        True,
        False,
    }
    assert "Note by sara" in [entry.title for entry in timeline.read(one.pk, limit=100).entries]
    # Of these there can be but one: theirs wait with the other.
    assert SegmentMembership.objects.filter(contact=one, left_at=None).count() == 1
    assert identity.resolve([identity.Known(email=SECOND)], LATER, source="shop") == [one.pk]

    with transaction.atomic():
        merging.undo(made.pk, LATER, by="sara")
        connection.check_constraints()
    assert everything(one, other) == whole
    assert identity.resolve([identity.Known(email=SECOND)], LATER, source="shop") == [other.pk]
    with pytest.raises(CannotMerge):
        merging.undo(made.pk, LATER, by="sara")


def test_what_came_since_stays_with_who_stayed(pair):
    one, other = pair
    made = merging.merge(one.pk, other.pk, LATER, by="sara")
    desk.write_note(one.pk, "Since then.", LATER, by="sara")
    changes.change([one.pk], lambda known: {"tags": [*known.tags, "new"], "country": "DK"}, LATER, actor="x")
    merging.undo(made.pk, LATER, by="sara")
    one.refresh_from_db()
    assert one.tags == ["a", "b", "new"] and one.country == "DK" and one.language == ""
    assert {note.body for note in one.notes.all()} == {"Since then."}
    assert {note.body for note in other.notes.all()} == {"Spoke of wool."}


def test_they_leave_their_flows_and_what_was_queued_does_not_leave(pair, world):
    one, other = pair
    campaign = world.campaign
    run = Enrolment.objects.create(
        contact=other, campaign=campaign, version=campaign.versions.first(), entry="z", qualified_at=NOW,
        entered_at=NOW,
    )  # fmt: skip
    Due.objects.create(enrolment_id=run.pk, contact_id=other.pk, campaign=campaign, due_at=NOW)
    merging.merge(one.pk, other.pk, LATER, by="sara")
    run = Enrolment.objects.get(pk=run.pk)
    assert run.contact == one and run.left_reason == "merged" and not Due.objects.filter(pk=run.pk).exists()


actions = st.sampled_from(["granted", "confirmed", "withdrawn", "refused", "complained", "bounced"])
words = st.lists(
    st.tuples(st.booleans(), actions, st.sampled_from(["newsletter", "win_back", None])), max_size=7
)


@pytest.mark.proof
@example(words=[(False, "withdrawn", None), (True, "granted", "newsletter")], turned=False)
@example(words=[(True, "refused", "win_back"), (False, "granted", "win_back")], turned=True)
@example(words=[(False, "complained", None), (True, "confirmed", "newsletter")], turned=True)
@example(
    words=[(False, "complained", "newsletter"), (True, "withdrawn", None), (True, "confirmed", "newsletter")],
    turned=False,
)
@settings(max_examples=5)
@given(words=words, turned=st.booleans())
def test_consent_is_never_gained_and_undoing_gives_back_what_there_was(db, words, turned):
    with transaction.atomic():
        office.set_up_shop()
        people = [office.person(mail, agreed=False) for mail in ("a@shop.example", "b@shop.example")]
        mails = ["a@shop.example", "b@shop.example"]
        for number, (second, action, purpose) in enumerate(words):
            if purpose is None and action in ("granted", "confirmed"):
                continue
            say(mails[second], action, purpose, NOW + timedelta(minutes=number))

        def answers():
            return {
                (mail, purpose): consent.may_send(digest(mail), "email", purpose)[0]
                for mail in mails
                for purpose in ("newsletter", "win_back", "transactional")
            }

        def refused(purpose):
            """Whether either of them said no, and has not agreed anew since."""
            return any(
                consent.may_send(digest(mail), "email", purpose)[1] not in ("", "no_consent", "hard_bounce")
                for mail in mails
            )

        before, said_no = answers(), {purpose: refused(purpose) for purpose in ("newsletter", "win_back")}
        stays, goes = people[::-1] if turned else people
        made = restraint.share(stays.pk, goes.pk)
        after = answers()
        assert all(before[key] for key, may in after.items() if may), "an address gained consent"
        for purpose, no in said_no.items():
            if no:
                assert not any(after[mail, purpose] for mail in mails), "a no was forgotten"
        assert {key: after[key] for key in after if key[1] == "transactional"} == {
            key: before[key] for key in before if key[1] == "transactional"
        }
        assert consent.rebuild_states(repair=False) == 0
        restraint.release(made)
        assert answers() == before
        transaction.set_rollback(True)


def test_who_confirms_anew_at_their_own_address_is_written_to_again(pair):
    one, other = pair
    say(office.MAIL, "granted")
    say(SECOND, "withdrawn")
    merging.merge(one.pk, other.pk, LATER, by="sara")
    assert consent.may_send(digest(office.MAIL), "email", "newsletter") == (False, "unsubscribed")
    say(office.MAIL, "granted", at=LATER, source="staff")
    assert not consent.may_send(digest(office.MAIL), "email", "newsletter")[0]
    say(office.MAIL, "confirmed", at=LATER)
    assert consent.may_send(digest(office.MAIL), "email", "newsletter") == (True, "")


def test_who_cannot_be_merged_is_told_why_and_nothing_happens(pair):
    one, other = pair
    with pytest.raises(CannotMerge, match="one person already"):
        merging.merge(one.pk, one.pk, NOW, by="sara")
    Contact.objects.filter(pk=other.pk).update(is_test=True)
    with pytest.raises(CannotMerge, match="test person"):
        merging.merge(one.pk, other.pk, NOW, by="sara")
    Contact.objects.filter(pk=other.pk).update(is_test=False)
    made = merging.merge(one.pk, other.pk, NOW, by="sara")
    with pytest.raises(CannotMerge, match="merged or erased"):
        merging.merge(other.pk, one.pk, NOW, by="sara")
    third = office.person("third@shop.example")
    merging.merge(third.pk, one.pk, NOW, by="sara")
    with pytest.raises(CannotMerge, match="somebody else"):
        merging.undo(made.pk, NOW, by="sara")


def test_what_was_still_written_for_the_other_is_taken_over(pair):
    one, other = pair
    made = merging.merge(one.pk, other.pk, LATER, by="sara")
    desk.write_note(other.pk, "Too late to know.", LATER, by="sara")
    assert merging.gather(made, LATER) == 1 and merging.gather(made, LATER) == 0
    assert one.notes.filter(body="Too late to know.").exists()
    merging.undo(made.pk, LATER, by="sara")
    assert other.notes.filter(body="Too late to know.").exists()


def test_a_proposal_is_answered_by_merging(pair):
    one, other = pair
    proposal = MergeProposal.objects.create(one=one, other=other, why=["x"])
    made = merging.merge(one.pk, other.pk, NOW, by="sara")
    proposal.refresh_from_db()
    assert proposal.answer == "merged"
    merging.undo(made.pk, NOW, by="sara")
    proposal.refresh_from_db()
    assert proposal.answer == "others"
    assert Delivery.objects.exists()
