"""The queue of what people ask about their data: who sees it, how it fills, how each is done."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from crm.kernel import clock
from crm.models import Contact, DataRequest, PersonRequest, RequestLine
from crm.people import request_days, requests
from tests.office import MAIL, NOW, logged_in, person, set_up_shop, user

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script> {{ request }} '\" onload=x"


@pytest.fixture(autouse=True)
def now(settings, tmp_path):
    settings.REKINDLE_ERASED = tmp_path / "erased.jsonl"
    with clock.frozen(NOW):
        yield


@pytest.fixture
def ana():
    set_up_shop()
    return person()


@pytest.fixture
def officer(db):
    return logged_in(user("paula", "crm.handle_requests", "crm.view_contact"))


@pytest.fixture
def sara(db):
    return logged_in(user("sara", "crm.add_personrequest", "crm.view_contact"))


def url(name, *args):
    return reverse(f"admin:crm_{name}", args=args)


LIST = "/admin/crm/personrequest/"


def asked(kind, contact, at=NOW, words=""):
    return PersonRequest.objects.create(
        contact=contact,
        kind=kind,
        received_at=at,
        recorded_at=at,
        recorded_by="paula",
        way="letter",
        words=words,
        due_at=request_days.due(at),
    )


def proven(kind, contact):
    made = asked(kind, contact)
    requests.prove(made.pk, "Answered from her address", NOW, by="paula")
    return made


def page(client, request):
    return client.get(url("personrequest_change", request.pk)).content.decode()


def press(client, request, what, words=""):
    answer = client.post(url("personrequest_act", request.pk, what), {"words": words}, follow=True)
    request.refresh_from_db()
    return answer.content.decode()


def pass_on(client, contact, **changed):
    said = {"kind": "crm.access", "way": "phone", "at": "2026-11-23T12:30", "words": HOSTILE} | changed
    posted = {f"crm_asked-{name}": value for name, value in said.items()}
    return client.post(url("contact_act", contact.pk, "crm.asked"), posted, follow=True)


def test_whoever_sells_passes_on_what_they_were_told_and_sees_nothing_of_the_queue(sara, officer, ana):
    assert "They asked for…" in sara.get(url("contact_change", ana.pk)).content.decode()
    text = pass_on(sara, ana).content.decode()
    assert "They get an answer by 23 December 2026." in text
    made = PersonRequest.objects.get()
    assert (made.contact, made.kind, made.way, made.recorded_by) == (ana, "crm.access", "phone", "sara")
    for address in (LIST, url("personrequest_change", made.pk), url("personrequest_add")):
        assert sara.get(address).status_code == 403
    assert sara.post(url("personrequest_act", made.pk, "withdraw")).status_code == 403
    person_page = sara.get(url("contact_change", ana.pk)).content.decode()
    assert "alert(1)" not in person_page and "Give out or erase" not in person_page
    assert "to answer" not in sara.get(reverse("admin:index")).content.decode()
    text = page(officer, made)
    assert "&lt;script&gt;alert(1)" in text and "<script>alert(1)" not in text
    assert "sara passed it on" in text


def test_a_request_of_tomorrow_is_none(sara, officer, ana):
    assert "has not come yet" in pass_on(sara, ana, at="2026-11-24T12:30").content.decode()
    told = {"contact": ana.pk, "kind": "crm.erase", "way": "email", "words": ""}
    answer = officer.post(
        url("personrequest_add"), told | {"received_at_0": "2026-11-25", "received_at_1": "09:00:00"}
    )
    assert "has not come yet" in answer.content.decode() and not PersonRequest.objects.exists()


def test_by_hand_one_is_written_down_in_the_list_or_from_the_data_of_the_person(officer, ana):
    link = f"{url('personrequest_add')}?contact={ana.pk}"
    assert f'href="{link}"' in officer.get(url("contact_data", ana.pk)).content.decode()
    assert ana.email in officer.get(link).content.decode() or str(ana) in officer.get(link).content.decode()
    told = {"contact": ana.pk, "kind": "crm.erase", "way": "letter", "words": "Forget me."}
    told |= {"received_at_0": "2026-11-20", "received_at_1": "09:00:00"}
    answer = officer.post(url("personrequest_add"), told, follow=True)
    assert "to be answered by 20 December 2026" in answer.content.decode()
    made = PersonRequest.objects.get()
    assert made.due_at == request_days.due(made.received_at)
    assert "due on 20 Dec 2026" in officer.get(url("contact_data", ana.pk)).content.decode()


def test_the_list_begins_with_what_is_due_first_and_marks_what_is_overdue(officer, ana):
    other = person("bo@shop.example", first_name="Bo", last_name="Berg")
    asked("crm.access", ana, NOW - timedelta(days=3))
    asked("crm.erase", other, NOW - timedelta(days=33))
    closed = asked("crm.object", other, NOW - timedelta(days=9))
    requests.withdraw(closed.pk, NOW, by="paula")
    text = officer.get(LIST).content.decode()
    places = [text.index(words) for words in ("2 days overdue", "27 days left", "withdrawn by them")]
    assert places == sorted(places) and "2 requests to answer, 1 overdue" in text
    only = officer.get(LIST, {"state": "overdue"}).content.decode()
    assert "To be erased</a>" in only and "27 days left" not in only
    only = officer.get(LIST, {"kind": "crm.object"}).content.decode()
    assert "withdrawn by them" in only and "overdue</span>" not in only
    assert "Bo Berg" in officer.get(LIST, {"q": "bo@shop.example"}).content.decode()
    assert "Bo Berg" not in officer.get(LIST, {"q": "bo"}).content.decode()
    assert "2 requests to answer, 1 overdue" in officer.get(reverse("admin:index")).content.decode()


def test_the_data_file_is_made_from_the_request_which_notes_it_and_then_can_be_answered(officer, ana):
    made = asked("crm.access", ana, words="What do you know?")
    door = f"{url('contact_data', ana.pk)}?request={made.pk}"
    # Not before it is known to be they.
    assert door not in page(officer, made)
    answer = officer.post(door, follow=True)
    assert "First see that it is they who ask." in answer.content.decode()
    assert not DataRequest.objects.exists()
    press(officer, made, "identity", "Called back")
    assert door in page(officer, made) and "It is answered" not in page(officer, made)
    assert "Not yet" in press(officer, made, "answer")
    shown = officer.get(door).content.decode()
    assert "A copy of what we keep, received on 23 November 2026" in shown and "Back to the request" in shown
    file = officer.post(door, {"reference": "Letter"})
    packed = zipfile.ZipFile(io.BytesIO(b"".join(file.streaming_content)))
    assert "What do you know?" in packed.read("person.json").decode()
    assert "paula made their data file" in page(officer, made)
    assert "It is answered." in press(officer, made, "answer", "By registered letter")
    assert made.state == "answered" and "By registered letter" in page(officer, made)
    assert officer.post(door).status_code == 404


def test_erasing_from_a_request_closes_it_and_nothing_on_its_page_tells_of_whom(officer, ana):
    made, other = proven("crm.erase", ana), asked("crm.access", ana, words="I am Ana.")
    door = f"{url('contact_erase', ana.pk)}?request={made.pk}"
    assert door in page(officer, made)
    shown = officer.get(door).content.decode()
    assert "To be erased, received on 23 November 2026" in shown and "A copy of what we keep" in shown
    typed = {"name": str(ana), "password": "wrong"}
    assert officer.post(door, typed).status_code == 400
    made.refresh_from_db()
    assert made.is_to_do and Contact.objects.get(pk=ana.pk).email
    answer = officer.post(door, typed | {"password": "secret"}, follow=True)
    assert answer.request["PATH_INFO"] == url("personrequest_change", made.pk)
    text = answer.content.decode()
    assert "paula erased the person" in text and "nobody any more" in text
    made.refresh_from_db()
    other.refresh_from_db()
    assert (made.state, other.state) == ("answered", "erased")
    for text in (page(officer, made), page(officer, other), officer.get(LIST).content.decode()):
        assert "Ana" not in text and MAIL not in text and str(ana.pk) not in text
    # Whoever asks whether it was done can be told: by the address they name.
    assert "To be erased</a>" in officer.get(LIST, {"q": MAIL}).content.decode()
    assert "To be erased</a>" not in officer.get(LIST, {"q": "bo@shop.example"}).content.decode()


def test_what_is_corrected_on_their_page_is_noted_by_itself_or_written_down_by_hand(officer, ana):
    made = proven("crm.rectify", ana)
    door = f"{url('contact_change', ana.pk)}?request={made.pk}"
    may_not = page(officer, made)
    assert door not in may_not and "What was corrected, and where" in may_not
    assert "Write down what was done." in press(officer, made, "correct")
    both = logged_in(user("otto", "crm.handle_requests", "crm.view_contact", "crm.change_contact"))
    assert door in page(both, made)
    told = {"first_name": "Anna", "last_name": "Oliveira", "email": MAIL, "country": "PT"}
    assert both.post(door, told).headers["Location"] == url("personrequest_change", made.pk)
    assert Contact.objects.get(pk=ana.pk).first_name == "Anna"
    assert "otto corrected it" in page(officer, made)
    press(officer, made, "correct", "The street, in the shop's own system")
    assert "in the shop&#x27;s own system" in page(officer, made)
    assert "It is answered." in press(officer, made, "answer")


def test_a_page_saved_without_a_change_or_for_a_closed_request_notes_nothing(ana):
    made = proven("crm.rectify", ana)
    both = logged_in(user("otto", "crm.handle_requests", "crm.view_contact", "crm.change_contact"))
    door = f"{url('contact_change', ana.pk)}?request={made.pk}"
    same = {"first_name": "Ana", "last_name": "Oliveira", "email": MAIL, "country": "PT"}
    both.post(door, same)
    requests.withdraw(made.pk, NOW, by="paula")
    text = both.post(door, same | {"first_name": "Anna"}, follow=True).content.decode()
    assert "The request has no note of it: This request is closed already." in text
    assert not RequestLine.objects.filter(what="correct").exists()
    assert Contact.objects.get(pk=ana.pk).first_name == "Anna"


def test_all_marketing_is_stopped_with_one_button(officer, ana):
    made = asked("crm.object", ana)
    assert "See that it is they who ask" not in page(officer, made)
    assert "Nothing but messages about an order" in press(officer, made, "stop")
    assert "paula stopped all marketing" in page(officer, made)
    assert "It is answered." in press(officer, made, "answer")


def test_more_time_refusal_and_taking_back_stand_on_the_page(officer, ana):
    made = asked("crm.access", ana)
    assert "due on 23 February 2027 now" in press(officer, made, "extend", f"Much of it. {HOSTILE}")
    text = page(officer, made)
    assert "It takes longer…" not in text and "&lt;script&gt;" in text and "<script>alert" not in text
    assert "There is no second time" not in text and "no second time" in press(
        officer, made, "extend", "More"
    )
    assert "with its reason" in press(officer, made, "refuse", "Asked every week.")
    assert "Asked every week." in page(officer, made)
    assert "closed already" in press(officer, made, "withdraw")
    assert made.state == "refused"


def test_who_asks_can_be_found_later_or_be_nobody(officer, ana):
    made = asked("crm.access", None, words="I am Ana. What do you keep?")
    assert "Find who asks" in page(officer, made)
    assert "Nobody here has exactly this" in press(officer, made, "who", "Ana")
    assert "First find who asks" in press(officer, made, "answer")
    assert "It is Ana Oliveira who asks." in press(officer, made, "who", MAIL)
    assert made.contact == ana
    stranger = asked("crm.access", None, words="I am Zoe.")
    assert "What they wrote is not kept." in press(officer, stranger, "unknown")
    assert stranger.state == "answered" and "Zoe" not in page(officer, stranger)


def test_proof_is_asked_for_and_the_page_says_that_it_waits(officer, ana):
    made = asked("crm.erase", ana)
    press(officer, made, "waits")
    assert made.state == "waiting" and "They were asked for proof." in page(officer, made)
    press(officer, made, "identity", "She wrote from it")
    assert made.state == "open"


def test_a_strange_button_or_a_strange_request_does_nothing(officer, ana):
    made, others = proven("crm.access", ana), person("bo@shop.example")
    assert "not to be done" in press(officer, made, "erase")
    assert "on a page of theirs" in press(officer, made, "file")
    for strange in ("x", "00000000-0000-0000-0000-000000000000", "%00", "' OR 1=1"):
        assert officer.get(url("contact_data", ana.pk), {"request": strange}).status_code == 404
        assert officer.get(url("contact_erase", ana.pk), {"request": strange}).status_code == 404
    # Another person's request opens no door here.
    assert officer.get(url("contact_data", others.pk), {"request": made.pk}).status_code == 404
    assert RequestLine.objects.count() == 1
