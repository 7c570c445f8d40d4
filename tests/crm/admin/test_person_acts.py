"""What a colleague does about a person from their page: notes, calls, taking over, taking an order."""

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.audience import segmentation
from crm.kernel import clock
from crm.kernel.person_acts import person_acts
from crm.models import Contact, ContactChange, MarketingPause, Note, Order, OwnField, Task
from crm.people import pausing
from tests.office import NOW, person, set_up_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def ana():
    set_up_shop()
    return person()


def page_of(contact):
    return reverse("admin:crm_contact_change", args=[contact.pk])


def act(client, contact, key, **said):
    prefix = key.replace(".", "_")
    posted = {f"{prefix}-{name}": value for name, value in said.items()}
    return client.post(reverse("admin:crm_contact_act", args=[contact.pk, key]), posted)


def test_every_act_is_a_button_on_the_persons_page_that_opens_its_form(ada, ana):
    text = ada.get(page_of(ana)).content.decode()
    for kind in person_acts:
        address = reverse("admin:crm_contact_act", args=[ana.pk, kind.key])
        assert f'hx-get="{address}"' in text and f'href="{address}"' in text
        form = ada.get(address, headers={"HX-Request": "true"}).content.decode()
        assert form.lstrip().startswith(f'<form method="post" action="{address}"') and kind.button in form
        assert form.count(" autofocus") == 1
        whole = ada.get(address).content.decode()
        assert "<html" in whole and kind.button in whole and f'href="{page_of(ana)}"' in whole


def test_a_note_stands_on_the_timeline_and_is_no_markup(ada, ana):
    assert act(ada, ana, "crm.note", body="Likes <b>wool</b>.")["Location"] == page_of(ana)
    text = ada.get(page_of(ana)).content.decode()
    assert "Note by ada" in text and "Likes &lt;b&gt;wool&lt;/b&gt;." in text


def test_a_call_may_ask_for_another_one_and_makes_the_task(ada, ana):
    act(
        ada,
        ana,
        "crm.call",
        kind="call",
        outcome="later",
        body="In a meeting.",
        at="2026-11-23T11:30",
        again="2026-11-26",
    )
    note, task = Note.objects.get(), Task.objects.get()
    # Half past eleven, and nine o'clock, in Amsterdam.
    assert note.occurred_at.isoformat() == "2026-11-23T10:30:00+00:00" and note.recorded_at == NOW
    assert task.due_at.isoformat() == "2026-11-26T08:00:00+00:00" and task.owner.username == "ada"
    text = ada.get(page_of(ana)).content.decode()
    assert "Call by ada: call again later" in text and "again</a>" in text


def test_what_is_not_filled_in_rightly_is_asked_again_with_what_was_typed(ada, ana):
    answer = act(
        ada, ana, "crm.call", kind="call", outcome="reached", body="Long talk", at="2027-01-01T10:00"
    )
    text = answer.content.decode()
    assert answer.status_code == 400 and "has not been made yet" in text and "Long talk" in text
    answer = act(ada, ana, "crm.order", total="a lot", channel="phone", at="2026-11-23T10:00", once="x")
    assert answer.status_code == 400 and "a lot" in answer.content.decode()
    assert not Note.objects.exists() and not Order.objects.exists()


def test_an_order_taken_by_phone_counts_at_once_and_once(ada, ana):
    said = {
        "total": "129.90",
        "channel": "phone",
        "goods": "2 wool blankets",
        "at": "2026-11-23T12:50",
        "once": "018f",
    }
    for _press in range(2):
        act(ada, ana, "crm.order", **said)
    order = Order.objects.get()
    assert (order.contact_id, str(order.total), order.channel, order.currency) == (
        ana.pk,
        "129.90",
        "phone",
        "EUR",
    )
    assert Contact.objects.get().engagement.order_count == 1
    assert "2 wool blankets" in ada.get(page_of(ana)).content.decode()


def test_taking_over_makes_them_mine_and_lets_marketing_rest_until_the_day(ada, ana):
    act(ada, ana, "crm.take_over", until="2026-12-07", why="We speak on Monday")
    ana.refresh_from_db()
    assert ana.owner.username == "ada"
    assert ContactChange.objects.get().field == "owner"
    assert pausing.held_at(NOW).get().until.isoformat() == "2026-12-06T23:00:00+00:00"
    text = ada.get(page_of(ana)).content.decode()
    assert "Marketing is paused" in text and "We speak on Monday" in text
    # The page's word and the timeline's, without that of the act: the shop's day, not that of London.
    again = ada.get(page_of(ana)).content.decode()
    assert again.count("7 December 2026") == 2 and "6 December 2026" not in again
    ada.post(reverse("admin:crm_contact_resume", args=[ana.pk]))
    assert not pausing.held_at(NOW + timedelta(seconds=1)).exists()
    assert pausing.held_at(NOW - timedelta(seconds=1)).count() == 0
    assert "ended on 23 November 2026 by ada" in ada.get(page_of(ana)).content.decode()
    assert act(ada, ana, "crm.take_over", until="2026-11-23").status_code == 400


def test_a_new_pause_takes_the_place_of_the_old_one_which_stays_in_the_past(ana):
    pausing.pause(ana.pk, NOW + timedelta(days=3), NOW, by="ada")
    later = NOW + timedelta(days=1)
    pausing.pause(ana.pk, later + timedelta(days=30), later)
    assert MarketingPause.objects.count() == 2
    assert pausing.held_at(NOW + timedelta(hours=1)).get().by == "ada"
    assert pausing.held_at(NOW + timedelta(days=4)).get().by == ""
    assert not pausing.held_at(later + timedelta(days=30)).exists()


def test_who_may_only_look_is_offered_nothing_and_can_do_nothing(vera, sten, ana):
    assert "/do/" not in vera.get(page_of(ana)).content.decode()
    for who in (vera, sten):
        for kind in person_acts:
            assert act(who, ana, kind.key).status_code == 403
        assert who.post(reverse("admin:crm_contact_resume", args=[ana.pk])).status_code == 403
    assert not Note.objects.exists() and not MarketingPause.objects.exists()


def test_nobody_and_nothing_are_not_found(ada, ana):
    assert act(ada, ana, "crm.nothing").status_code == 404
    Contact.objects.filter(pk=ana.pk).delete()
    assert act(ada, ana, "crm.note", body="x").status_code == 404


def test_what_was_learned_is_a_note_and_facts_that_rules_can_use(ada, ana):
    for key, sort in (("linkedin", "link"), ("searches", "words"), ("budget", "number"), ("colour", "text")):
        OwnField.objects.create(key=key, label=key.title(), type=sort, created_at=NOW)
    Contact.objects.filter(pk=ana.pk).update(fields={"colour": "red", "gone_field": "stays"})
    said = {"body": "Furnishes a cabin.", "own_linkedin": "linkedin.com/in/ana", "own_colour": ""}
    act(ada, ana, "crm.learned", **said, own_searches="wool, Wool ; cabin bed", own_budget="900")
    ana.refresh_from_db()
    assert ana.fields == {
        "linkedin": "https://linkedin.com/in/ana",
        "searches": "Wool, cabin bed",
        "budget": 900,
        "gone_field": "stays",
    }
    assert ContactChange.objects.get(field="fields").actor == "ada"
    text = ada.get(page_of(ana)).content.decode()
    assert "What we learned by ada" in text and "Furnishes a cabin." in text
    assert '<a href="https://linkedin.com/in/ana" class="rk-link" rel="noopener noreferrer">' in text
    asked = {"field": "searches", "how": "contains", "words": "cabin"}
    rule = {"all": [{"kind": "crm.own_text", "params": asked}]}
    assert list(segmentation.members(rule, NOW)) == [ana]


@pytest.mark.parametrize("typed", ["javascript:alert(1)", "ftp://x.example/y", "http://", "no address"])
def test_an_address_that_no_browser_should_open_is_refused_and_nothing_is_written(ada, ana, typed):
    OwnField.objects.create(key="linkedin", label="LinkedIn", type="link", created_at=NOW)
    answer = act(ada, ana, "crm.learned", body="Met her.", own_linkedin=typed)
    assert answer.status_code == 400 and "no web address" in answer.content.decode()
    assert act(ada, ana, "crm.learned", body="").status_code == 400
    assert not Note.objects.exists()
