"""The invariants of consent: append-only, chained, rebuildable, one answer, restriction before permission."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Value
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.kernel import tokens
from crm.models import (
    ConsentDetail,
    ConsentEvent,
    ConsentState,
    ConsentText,
    Contact,
    ContactPoint,
    Purpose,
    Suppression,
)
from crm.people import consent
from crm.people.consent import Said, may_send, record, withdraw
from crm.people.identity import Known, resolve

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ANA = tokens.address_hash("email", "ana@example.com")[0]
BORIS = tokens.address_hash("email", "boris@example.com")[0]
Action = ConsentEvent.Action


def said(action, purpose="newsletter", *, after=0, address=ANA, source="form", **kept):
    kept.setdefault("wording", "Yes, send me news.")
    return Said(address, "email", purpose, action, NOW + timedelta(minutes=after), source, **kept)


def tell(*words):
    for word in words:
        record([word], word.occurred_at)


def answer(purpose="newsletter", address=ANA):
    return may_send(address, "email", purpose)


# 1: append-only and chained


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["crm_consentevent", "crm_consenttext"])
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_1_the_application_can_neither_change_nor_remove_what_was_said(table, act):
    tell(said(Action.GRANTED))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE rekindle_app")
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (1,)
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            cursor.execute(act.format(table))
        cursor.execute("RESET ROLE")


@pytest.mark.django_db
def test_1_the_application_can_do_everything_else_under_its_role():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE rekindle_app")
        tell(said(Action.GRANTED), said(Action.WITHDRAWN, after=1), said(Action.CONFIRMED, after=2))
        resolve([Known(email="ana@example.com")], NOW, source="shop")
        ConsentDetail.objects.all().delete()
        assert answer() == (True, "")
        cursor.execute("RESET ROLE")


@pytest.mark.django_db
def test_1_the_chain_of_an_address_verifies_and_shows_every_change():
    tell(
        said(Action.REQUESTED, evidence={"form": "footer", "share": 0.1}, ip="203.0.113.77", actor="Ana"),
        said(Action.CONFIRMED, after=1),
        said(Action.WITHDRAWN, after=2, wording=""),
        said(Action.GRANTED, address=BORIS),
    )
    assert consent.verify_chain(ANA) == consent.verify_chain(BORIS) == []
    assert list(ConsentEvent.objects.filter(address_hash=ANA).values_list("position", flat=True)) == [1, 2, 3]
    assert ConsentDetail.objects.get(event__position=1, address_hash=ANA).ip_truncated == "203.0.113.0"
    changes = [
        (ConsentEvent.objects.filter(position=2), {"action": "refused"}, "position 2"),
        (ConsentEvent.objects.filter(position=1), {"occurred_at": NOW - timedelta(days=1)}, "position 1"),
        (ConsentDetail.objects.filter(event__position=1), {"actor": "Eve"}, "detail of position 1"),
        (ConsentText.objects.all(), {"wording": "No."}, "wording of position 1"),
    ]
    for rows, change, where in changes:
        with transaction.atomic():
            rows.filter(**({"address_hash": ANA} if rows.model is not ConsentText else {})).update(**change)
            assert where in " ".join(consent.verify_chain(ANA))
            transaction.set_rollback(True)
    with transaction.atomic():
        ConsentDetail.objects.filter(event__position=2).delete()
        ConsentState.objects.all().delete()
        ConsentEvent.objects.filter(position=2, address_hash=ANA).delete()
        assert consent.verify_chain(ANA) == ["position 2 is missing"]
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_1_erasing_who_said_it_leaves_the_chain_verifiable():
    tell(
        said(Action.GRANTED, ip="203.0.113.77", evidence={"mail": "ana@example.com"}),
        said(Action.WITHDRAWN, after=1),
    )
    ConsentDetail.objects.filter(address_hash=ANA).delete()
    assert consent.verify_chain(ANA) == []
    tell(said(Action.ERASED, None, after=2, wording=""))
    assert consent.verify_chain(ANA) == []


@pytest.mark.django_db
def test_1_one_batch_of_many_words_is_one_chain():
    record([said(Action.GRANTED, purpose) for purpose in ("newsletter", "cart_recovery", "win_back")], NOW)
    assert consent.verify_chain(ANA) == []
    assert ConsentEvent.objects.count() == 3


# 2: the state is what the events add up to

ACTIONS = [action for action in Action.values if action != "bounced"]
words = st.builds(
    lambda action, purpose, minute, source, address: said(
        action,
        purpose or (None if action in ("withdrawn", "objected", "complained", "erased") else "newsletter"),
        after=minute,
        source=source,
        address=address,
        source_ref="list of June",
    ),
    st.sampled_from(["granted", "granted", "withdrawn", "confirmed", *ACTIONS]),
    st.sampled_from(["newsletter", "cart_recovery", "transactional", None]),
    st.integers(-30, 0),
    st.sampled_from(["form", "import", "staff", "preferences"]),
    st.sampled_from([ANA, BORIS]),
)


class Deriving(TestCase):
    @pytest.mark.proof
    @settings(max_examples=30)
    @given(st.lists(words, max_size=10), st.integers(1, 4))
    def test_2_and_3_states_rebuild_to_themselves_and_both_ways_of_asking_agree(self, batch, size):
        for start in range(0, len(batch), size):
            record(batch[start : start + size], NOW)
        assert consent.rebuild_states(repair=False) == 0
        for address in (ANA, BORIS):
            assert consent.verify_chain(address) == []
            for key in ("newsletter", "cart_recovery", "win_back", "transactional"):
                assert may_send(address, "email", key) == may_send(address, "email", key, at=NOW)

    @settings(max_examples=30)
    @given(st.lists(words, max_size=8))
    def test_4_nothing_follows_a_complaint_and_only_a_confirmation_follows_a_withdrawal(self, batch):
        record(batch, NOW)
        mine = [word for word in batch if word.address_hash == ANA]
        ordered = sorted(mine, key=lambda word: word.occurred_at)
        if any(word.action in ("complained", "erased") and word.purpose_key is None for word in mine):
            assert not answer()[0] and not answer("cart_recovery")[0]
        blocked = None
        for word in ordered:
            if word.purpose_key in (None, "newsletter"):
                if word.action in ("withdrawn", "objected"):
                    blocked = True
                elif word.action == "confirmed" and word.source_kind in ("form", "preferences"):
                    blocked = False
        if blocked:
            assert not answer()[0]


@pytest.mark.django_db
def test_2_a_table_that_was_tampered_with_is_found_and_put_right():
    tell(said(Action.GRANTED), said(Action.WITHDRAWN, address=BORIS))
    assert consent.rebuild_states(repair=False) == 0
    ConsentState.objects.filter(address_hash=ANA).update(may_send=False)
    ConsentState.objects.filter(address_hash=BORIS).delete()
    Suppression.objects.all().delete()
    assert consent.rebuild_states() == 3
    assert consent.rebuild_states(repair=False) == 0
    assert answer() == (True, "")
    assert answer(address=BORIS) == (False, "unsubscribed")


# 3: one answer


@pytest.mark.django_db
def test_3_a_filter_an_annotation_and_the_question_for_one_agree():
    people = ["ana", "boris", "chen", "dana", "erin"]
    resolve([Known(email=f"{name}@example.com") for name in people], NOW, source="shop")
    hashes = {name: tokens.address_hash("email", f"{name}@example.com")[0] for name in people}
    tell(
        said(Action.GRANTED, address=hashes["ana"]),
        said(Action.GRANTED, address=hashes["chen"]),
        said(Action.WITHDRAWN, None, address=hashes["chen"], after=1),
        said(Action.GRANTED, address=hashes["dana"]),
        said(Action.BOUNCED, None, address=hashes["dana"], after=1),
        said(Action.COMPLAINED, None, address=hashes["erin"]),
    )
    for key in ("newsletter", "transactional"):
        purpose = Purpose.objects.get(key=key)
        may = consent.allowed("address_hash", "channel", Value(purpose.pk))
        why = consent.refusal_reason("address_hash", "channel", Value(purpose.pk))
        rows = ContactPoint.objects.annotate(may=ExpressionWrapper(may, BooleanField()), why=why)
        for name in people:
            point = rows.get(address=f"{name}@example.com")
            assert (point.may, point.why) == may_send(hashes[name], "email", key)
            assert ContactPoint.objects.filter(may, pk=point.pk).exists() == point.may
            assert not point.why or point.why in consent.REASONS
    counts = {key: may_send(hashes["dana"], "email", key) for key in ("newsletter", "transactional")}
    assert counts == {"newsletter": (False, "hard_bounce"), "transactional": (False, "hard_bounce")}


@pytest.mark.django_db
def test_3_it_asks_once_and_as_of_then_what_was_known_then():
    tell(said(Action.GRANTED, after=-60))
    record([said(Action.WITHDRAWN, after=-30)], NOW)
    with CaptureQueriesContext(connection) as captured:
        assert answer() == (False, "unsubscribed")
    assert len(captured) == 1
    assert may_send(ANA, "email", "newsletter", at=NOW - timedelta(minutes=90)) == (False, "no_consent")
    assert may_send(ANA, "email", "newsletter", at=NOW - timedelta(minutes=1)) == (True, "")
    assert may_send(ANA, "email", "newsletter", at=NOW) == (False, "unsubscribed")


@pytest.mark.django_db
def test_3_no_purpose_no_message():
    tell(said(Action.GRANTED))
    assert answer("no_such_purpose") == (False, "purpose_inactive")
    Purpose.objects.filter(key="newsletter").update(is_active=False)
    assert answer() == (False, "purpose_inactive")


# 4: suppression beats everything, and who may lift it


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["staff", "import"])
def test_4_neither_staff_nor_an_import_lifts_an_unsubscribe(source):
    tell(
        said(Action.GRANTED),
        said(Action.WITHDRAWN, after=1),
        said(Action.GRANTED, source=source, after=2, source_ref="list"),
        said(Action.CONFIRMED, source=source, after=3, source_ref="list"),
        said(Action.GRANTED, after=4),
    )
    assert answer() == (False, "unsubscribed")


@pytest.mark.django_db
def test_4_the_persons_own_confirmation_lifts_it_for_that_purpose_alone():
    tell(
        said(Action.GRANTED),
        said(Action.GRANTED, "win_back"),
        said(Action.WITHDRAWN, None, after=1),
        said(Action.CONFIRMED, after=2),
    )
    assert answer() == (True, "")
    assert answer("win_back") == (False, "unsubscribed")
    assert answer("back_in_stock") == (False, "unsubscribed")
    tell(said(Action.WITHDRAWN, after=3))
    assert answer() == (False, "unsubscribed")


@pytest.mark.django_db
def test_4_a_complaint_is_lifted_by_nobody_and_counts_for_other_spellings():
    plus = tokens.address_hash("email", "ana+shop@example.com")[0]
    tell(Said(plus, "email", None, Action.COMPLAINED, NOW, "provider", address="ana+shop@example.com"))
    tell(
        said(Action.CONFIRMED, after=1, address=plus),
        Said(ANA, "email", "newsletter", "granted", NOW, "form", "ana@example.com"),
    )
    assert answer(address=plus) == (False, "complained")
    assert answer() == (False, "complained")
    assert consent.rebuild_states(repair=False) == 0


@pytest.mark.django_db
def test_4_transactional_needs_no_consent_but_obeys_a_bounce_and_an_erasure():
    assert answer("transactional") == (True, "")
    tell(said(Action.WITHDRAWN, None), said(Action.COMPLAINED, None, after=1))
    assert answer("transactional") == (True, "")
    resolve([Known(email="ana@example.com")], NOW, source="shop")
    tell(said(Action.BOUNCED, None, after=2))
    assert answer("transactional") == (False, "hard_bounce")
    assert ContactPoint.objects.get().status == "hard"
    tell(said(Action.ERASED, None, address=BORIS))
    assert answer("transactional", BORIS) == answer(address=BORIS) == (False, "erased")


@pytest.mark.django_db
def test_4_a_stop_by_hand_holds_against_every_grant():
    Suppression.objects.create(
        address_hash=ANA, channel="email", reason="staff", since=NOW + timedelta(days=1)
    )
    tell(said(Action.CONFIRMED))
    assert answer() == (False, "staff")
    assert consent.rebuild_states() == 0
    assert Contact.objects.count() == 0


# 5: imports


@pytest.mark.django_db
def test_5_an_import_grants_only_with_source_date_and_wording():
    complete = {"source_ref": "list of June", "wording": "Yes, send me news."}
    for missing in complete:
        tell_import(complete | {missing: ""}, NOW)
        assert answer() == (False, "no_consent")
    tell_import(complete, None)
    assert answer() == (False, "no_consent")
    assert set(ConsentState.objects.values_list("status", flat=True)) == {"unknown"}
    tell_import(complete, NOW)
    assert answer() == (True, "")


def tell_import(kept, occurred_at):
    record([Said(ANA, "email", "newsletter", Action.GRANTED, occurred_at, "import", **kept)], NOW)


@pytest.mark.django_db
def test_5_an_old_grant_that_is_learned_late_does_not_undo_a_withdrawal():
    tell(said(Action.WITHDRAWN))
    record([said(Action.GRANTED, after=-60, source="import", source_ref="list", is_backfill=True)], NOW)
    assert answer() == (False, "unsubscribed")


# and how it is used


@pytest.mark.django_db
def test_withdrawing_twice_is_one_withdrawal_and_again_after_a_new_opt_in():
    tell(said(Action.GRANTED))
    assert withdraw(ANA, "email", "newsletter", NOW, source_kind="unsubscribe")
    assert not withdraw(ANA, "email", "newsletter", NOW, source_kind="unsubscribe")
    assert withdraw(ANA, "email", None, NOW, source_kind="preferences")
    assert not withdraw(ANA, "email", None, NOW, source_kind="preferences")
    tell(said(Action.CONFIRMED, after=1))
    assert withdraw(ANA, "email", None, NOW + timedelta(minutes=2), source_kind="preferences")
    assert answer() == (False, "unsubscribed")


@pytest.mark.django_db
def test_an_event_knows_whose_address_it_was_and_a_wording_is_kept_once():
    contact_id = resolve([Known(email="ana@example.com")], NOW, source="shop")[0]
    tell(
        said(Action.GRANTED),
        said(Action.GRANTED, "win_back"),
        said(Action.GRANTED, wording="New words", after=1),
    )
    detail = ConsentDetail.objects.first()
    assert (detail.contact_id, detail.address) == (contact_id, "ana@example.com")
    texts = ConsentText.objects.order_by("purposes", "version").values_list("purposes", "version")
    assert list(texts) == [(["newsletter"], 1), (["newsletter"], 2), (["win_back"], 1)]


@pytest.mark.django_db
def test_a_batch_costs_the_same_number_of_queries_whatever_its_size():
    def queries(count, start):
        batch = [
            Said(
                bytes([start]) + n.to_bytes(31, "big"),
                "email",
                "newsletter",
                "granted",
                NOW,
                "form",
                f"{start}p{n}@a.example",
                wording="W",
            )
            for n in range(count)
        ]
        with CaptureQueriesContext(connection) as captured:
            record(batch, NOW)
        with CaptureQueriesContext(connection) as repeated:
            assert record(batch, NOW, unless_repeated=True) == []
        return len(captured), len(repeated)

    queries(1, 1)
    assert queries(2, 2) == queries(300, 3)
    assert queries(2, 4)[0] <= 15


@pytest.mark.django_db
def test_a_field_of_the_row_is_meant_however_it_is_named():
    """An F once met the subquery's own column: anybody's consent then spoke for everybody."""
    agreed, silent = (
        ContactPoint.objects.get(contact=contact_id)
        for contact_id in resolve(
            [Known(email="ana@example.com"), Known(email="boris@example.com")], NOW, source="x"
        )
    )
    tell(said(Action.GRANTED))
    purpose = Value(Purpose.objects.get(key="newsletter").pk)
    for name in ("address_hash", F("address_hash")):
        may = ContactPoint.objects.filter(consent.allowed(name, Value("email"), purpose))
        assert list(may) == [agreed]
        why = ContactPoint.objects.annotate(why=consent.refusal_reason(name, Value("email"), purpose))
        assert dict(why.values_list("pk", "why")) == {agreed.pk: "", silent.pk: "no_consent"}
