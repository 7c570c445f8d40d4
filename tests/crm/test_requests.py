"""What people ask about their data: due in a month, told of in time, gone with whoever is erased."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from crm.kernel.requests import CannotDo, request_kinds
from crm.kernel.work import Budget
from crm.models import ConsentEvent, Notice, PersonRequest, RequestLine, Suppression
from crm.people import consent, erasing, merging, request_days, request_reading, request_telling, requests
from tests.office import MAIL, NOW, person, set_up_shop, user

pytestmark = pytest.mark.django_db

BY = "paula"


@pytest.fixture(autouse=True)
def shop(settings, tmp_path):
    settings.REKINDLE_ERASED = tmp_path / "erased.jsonl"
    set_up_shop()


@pytest.fixture
def paula():
    return user("paula", "crm.handle_requests")


def asked(kind="crm.access", contact=None, at=NOW, now=NOW, who=None, **more):
    by = who or User.objects.filter(username=BY).first() or user(BY, "crm.handle_requests")
    contact_id = contact.pk if contact else None
    told = {"way": "letter", "words": "Please."} | more
    return requests.record(kind, contact_id, now, user=by, received_at=at, **told)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-23T12:00+00:00", "2026-12-23"),
        ("2026-01-31T12:00+00:00", "2026-02-28"),
        ("2028-01-31T12:00+00:00", "2028-02-29"),
        ("2026-12-31T12:00+00:00", "2027-01-31"),
        # In Amsterdam it is the first of the next month already.
        ("2026-03-31T22:30+00:00", "2026-05-01"),
    ],
)
def test_a_request_is_due_on_the_same_day_of_the_next_month_in_the_shop(received, due):
    end = request_days.due(datetime.fromisoformat(received))
    assert f"{end:%Y-%m-%d %H:%M}" == f"{due} 23:59"
    assert end.tzinfo.key == "Europe/Amsterdam"


def test_two_more_months_are_taken_once_in_time_and_with_a_reason(paula):
    request = asked(contact=person(), at=datetime(2026, 11, 30, 12, tzinfo=UTC), now=NOW + timedelta(days=9))
    with pytest.raises(CannotDo, match="why it takes longer"):
        requests.extend(request.pk, "", NOW, by=BY)
    due_at = requests.extend(request.pk, "Nine years of orders.", NOW, by=BY)
    assert f"{due_at:%Y-%m-%d}" == "2027-02-28"
    with pytest.raises(CannotDo, match="no second time"):
        requests.extend(request.pk, "Once more.", NOW, by=BY)
    late = asked("crm.rectify", person(), at=NOW - timedelta(days=40))
    with pytest.raises(CannotDo, match="overdue"):
        requests.extend(late.pk, "Too late.", NOW, by=BY)


def test_it_is_answered_once_every_step_is_done_in_its_order_and_the_log_says_by_whom(paula):
    request = asked(contact=person())
    for refused in (
        lambda: requests.did(request.pk, "file", NOW, by=BY),
        lambda: requests.answer(request.pk, "", NOW, by=BY),
    ):
        with pytest.raises(CannotDo, match="it is they"):
            refused()
    requests.prove(request.pk, "Answered from her address", NOW, by=BY)
    with pytest.raises(CannotDo, match="make their data file"):
        requests.answer(request.pk, "", NOW, by=BY)
    requests.did(request.pk, "file", NOW, by=BY)
    later = NOW + timedelta(days=15)
    with pytest.raises(CannotDo, match="out of date"):
        requests.answer(request.pk, "", later, by=BY)
    requests.did(request.pk, "file", later, by="otto")
    requests.answer(request.pk, "Sent by letter", later, by=BY)
    request.refresh_from_db()
    assert (request.state, request.ended_by, request.ended_at) == ("answered", BY, later)
    said = [(line.by, request_reading.said_of(request, line)) for line in request.lines.order_by("at", "id")]
    assert said == [
        (BY, "wrote it down"),
        (BY, "saw that it is they who ask"),
        (BY, "made their data file"),
        ("otto", "made their data file"),
        (BY, "answered"),
    ]
    with pytest.raises(CannotDo, match="closed already"):
        requests.withdraw(request.pk, later, by=BY)


def test_refusing_takes_a_reason_and_waiting_for_proof_moves_no_due_date(paula):
    request = asked(contact=person())
    requests.wait(request.pk, NOW, by=BY)
    request.refresh_from_db()
    assert request.state == "waiting" and request.due_at == request_days.due(NOW)
    with pytest.raises(CannotDo, match="why you refuse"):
        requests.refuse(request.pk, "", NOW, by=BY)
    requests.refuse(request.pk, "Asked every week.", NOW, by=BY)
    request.refresh_from_db()
    assert (request.state, request.reason) == ("refused", "Asked every week.")


def test_whoever_objects_gets_no_marketing_at_any_address_and_needs_no_proof(paula):
    ana = person(phone="+4915155512345")
    assert consent.may_send(*digest_of(ana), "cart_recovery")[0]
    request = asked("crm.object", ana)
    requests.do_here(request.pk, "stop", NOW, by=BY)
    assert consent.may_send(*digest_of(ana), "cart_recovery") == (False, Suppression.Reason.UNSUBSCRIBED)
    assert consent.may_send(*digest_of(ana), "transactional")[0]
    objected = ConsentEvent.objects.filter(action="objected")
    assert {event.channel for event in objected} == {"email", "sms"}
    requests.answer(request.pk, "", NOW, by=BY)


def digest_of(contact):
    point = contact.points.get(channel="email")
    return bytes(point.address_hash), "email"


def test_asked_twice_it_stays_one_request_and_the_second_time_is_noted(paula):
    ana = person()
    first = asked(contact=ana)
    assert asked(contact=ana, words="I wrote last week.") == first
    assert asked("crm.erase", ana) != first
    assert [line.what for line in first.lines.order_by("id")] == ["received", "again"]


def test_erasing_another_way_closes_what_they_asked_for_and_leaves_a_hash_alone(paula):
    ana = person()
    digest = digest_of(ana)[0]
    access, erase = asked(contact=ana, words="Signed, Ana"), asked("crm.erase", ana)
    requests.prove(access.pk, "Her passport", NOW, by=BY)
    erasing.erase(ana.pk, NOW, by="otto")
    access.refresh_from_db()
    erase.refresh_from_db()
    assert (access.state, erase.state, access.ended_by) == ("erased", "answered", "otto")
    for request in (access, erase):
        assert request.contact_id is None and bytes(request.address_hash) == digest
        assert (request.words, request.identity) == ("", "")
    assert set(RequestLine.objects.values_list("words", flat=True)) == {""}
    assert request_reading.to_answer(NOW) == ""
    with pytest.raises(CannotDo):
        asked(contact=ana)


def test_what_nobody_was_found_for_goes_with_whom_it_names(paula):
    ana = person()
    unknown = asked(words=f"I am {MAIL}, what do you keep?")
    other = asked("crm.erase", words="I am bo@else.example.")
    erasing.erase(ana.pk, NOW, by=BY)
    unknown.refresh_from_db()
    other.refresh_from_db()
    assert unknown.words == "" and other.words
    requests.unknown(other.pk, NOW, by=BY)
    other.refresh_from_db()
    assert (other.state, other.words) == ("answered", "")


def test_by_merging_their_requests_are_those_of_who_stays(paula):
    ana, two = person(), person("ana.two@shop.example")
    request = asked(contact=two)
    merging.merge(ana.pk, two.pk, NOW, by=BY)
    request.refresh_from_db()
    assert request.contact_id == ana.pk


def remind(at):
    return request_telling.remind(at, Budget(50))


def test_colleagues_are_told_a_week_before_and_on_the_last_day_once_each_and_of_nobody_by_name(paula):
    user("sara", "crm.add_personrequest")
    request = asked(contact=person())
    week = request.due_at - timedelta(days=7)
    for at in (NOW, week - timedelta(days=1), week.replace(hour=7)):
        assert remind(at) == 0
    assert remind(week.replace(hour=9)) == 1 and remind(week) == 0
    assert remind(request.due_at - timedelta(days=1)) == 0
    assert remind(request.due_at.replace(hour=9)) == 1
    assert remind(request.due_at) == remind(request.due_at + timedelta(days=3)) == 0
    told = list(Notice.objects.order_by("created_at"))
    assert [(one.user, one.subject) for one in told] == [
        (paula, "A request is to be answered: 7 days left"),
        (paula, "A request is to be answered: the last day"),
    ]
    assert all("Ana" not in one.subject + one.body and one.contact_id is None for one in told)
    assert "Due on Wednesday" not in told[0].body and "Due on 23 December" in told[0].body


def test_after_more_time_was_taken_they_are_told_anew_and_of_what_is_closed_not_at_all(paula):
    request = asked(contact=person())
    assert remind((request.due_at - timedelta(days=7)).replace(hour=9)) == 1
    due_at = requests.extend(request.pk, "Much of it.", NOW, by=BY)
    assert remind(request.due_at.replace(hour=9)) == 0
    assert remind((due_at - timedelta(days=7)).replace(hour=9)) == 1
    requests.withdraw(request.pk, NOW, by=BY)
    assert remind(due_at.replace(hour=9)) == 0 and Notice.objects.count() == 2


def test_of_what_a_colleague_passes_on_whoever_answers_is_told_at_once(paula):
    sara = user("sara", "crm.add_personrequest")
    request = asked(contact=person(), who=sara)
    assert Notice.objects.get().user == paula and "23 December" in Notice.objects.get().subject
    assert request.lines.get().what == "passed_on"


def test_where_nobody_answers_requests_superusers_are_told():
    ada = User.objects.create_superuser("ada")
    asked(contact=person(), who=user("sara", "crm.add_personrequest"))
    assert Notice.objects.get().user == ada


def test_the_home_line_says_how_many_and_the_first_day(paula):
    ana = person()
    assert request_reading.to_answer(NOW) == ""
    first = asked(contact=ana, at=NOW - timedelta(days=27))
    asked("crm.erase", ana)
    assert request_reading.to_answer(NOW) == "2 requests to answer, 1 due on Friday"
    last = first.due_at - timedelta(hours=1)
    assert request_reading.to_answer(last) == "2 requests to answer, 1 due today"
    assert request_reading.to_answer(first.due_at + timedelta(hours=1)) == "2 requests to answer, 1 overdue"


def test_a_request_whose_kind_is_gone_can_still_be_closed_and_erased(paula):
    request = asked(contact=person())
    PersonRequest.objects.update(kind="gone.kind")
    assert request.contact is not None
    erasing.erase(request.contact_id, NOW, by=BY)
    request.refresh_from_db()
    assert request.state == "erased"


def test_every_kind_says_what_is_to_be_done_and_what_to_tell_them():
    assert {kind.key for kind in request_kinds} == {
        "crm.access",
        "crm.erase",
        "crm.rectify",
        "crm.object",
        "crm.portability",
    }
    for kind in request_kinds:
        assert kind.steps and (kind.closing or kind.ends_by_erasing)
        for step in kind.steps:
            assert step.title and step.how and step.noted
            assert (step.button and (step.page or step.here)) or step.by_hand
