"""Words find what the timeline shows, however much there is, and whatever somebody types."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from campaigns.models import Decision, Letter
from crm.kernel import timeline
from crm.kernel.timeline import Search
from crm.models import LeadDefinition, StageMove
from crm.people import changes, desk, identity, pausing
from tests.office import NOW
from tracking.models import Event, EventKind, Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(world):
    """Somebody with one of everything on the timeline."""
    contact = world.contact
    looked = {"name": "Wool_blanket 100%", "title": "Blankets", "query": "warm things", "event": "quiz"}
    for number, kind in enumerate([*EventKind.values, EventKind.PRODUCT]):
        at = NOW - timedelta(hours=number)
        url = f"https://shop.example/a{number}"
        Event.objects.create(
            contact=contact, kind=kind, url=url, props=looked, occurred_at=at, recorded_at=at
        )
    Visit.objects.create(
        contact=contact,
        started_at=NOW,
        ended_at=NOW,
        recorded_at=NOW,
        products=3,
        seconds=200,
        source="google",
        exit_url="https://shop.example/basket",
    )
    desk.write_note(contact.pk, "Spoke of the cabin.", NOW, by="sara", kind="call", outcome="later")
    pausing.pause(contact.pk, NOW + timedelta(days=3), NOW, by="sara", why="on holiday")
    Decision.objects.create(
        contact=contact, verdict="skipped", reason="late", words="Too late for it", decided_at=NOW
    )
    Letter.objects.create(
        contact=contact, author="Sara", subject="Cosy cabins", text="As we said.", written_at=NOW
    )
    definition = LeadDefinition.objects.get()
    StageMove.objects.create(
        contact=contact, definition=definition, occurred_at=NOW, recorded_at=NOW, score=40, reason="asked"
    )
    changes.change([contact.pk], lambda one: {"tags": ["wool lover"], "country": "DK"}, NOW, actor="sara")
    return contact


def found(contact, words, **more):
    return timeline.read(contact.pk, search=Search.read(words), limit=200, **more)


@pytest.mark.proof
def test_every_word_an_entry_shows_finds_it(ana):
    kinds = list(timeline.kinds())
    entries = timeline.read(ana.pk, limit=200, kinds=kinds).entries
    assert {entry.kind for entry in entries} >= {
        *("page", "act", "cart", "mail", "visit", "episode", "order", "consent", "change", "note", "pause"),
        *("message", "decision", "task", "stage"),
    }
    lost = []
    for entry in entries:
        shown = f"{entry.title} {entry.detail}"
        words = re.findall(r"[^\W\d_]{3,}", re.sub(r"(until|on) \d+ \w+ \d+", "", shown))
        assert words
        hits = {(hit.source, hit.key) for hit in found(ana, " ".join(words[:8])).entries}
        if (entry.source, entry.key) not in hits:
            lost.append((entry.source, shown, words))
    assert not lost


def test_all_words_must_be_there_in_any_order_and_case_and_no_other_persons_rows_are(ana):
    other = identity.resolve([identity.Known(email="b@shop.example")], NOW, source="shop")[0]
    desk.write_note(other, "Spoke of the cabin.", NOW, by="sara")
    assert [entry.title for entry in found(ana, "CABIN spoke").entries] == ["Call by sara: call again later"]
    assert not found(ana, "cabin castle").entries
    assert not found(ana, "cabin", kinds=["order"]).entries
    blankets = found(ana, "wool_blanket").entries
    assert blankets and {entry.kind for entry in blankets} == {"page", "act", "cart", "mail"}


def test_a_search_looks_at_so_much_at_once_and_goes_on_from_there(ana, monkeypatch):
    desk.write_note(ana.pk, "The needle.", NOW - timedelta(days=400), by="sara")
    for number in range(7):
        desk.write_note(ana.pk, "Hay.", NOW - timedelta(days=number + 1), by="sara")
    whole = [entry.key for entry in found(ana, "by sara").entries]
    monkeypatch.setattr(timeline, "AT_ONCE", 3)
    seen, before, looked = [], None, 0
    while True:
        page = found(ana, "by sara", before=before)
        seen += [entry.key for entry in page.entries]
        looked += page.searched_to is not None
        if page.next is None:
            break
        before = timeline.Cursor.read(str(page.next))
    assert seen == whole and looked > 2
    assert found(ana, "needle").searched_to and not found(ana, "needle").entries


def test_the_page_takes_words_keeps_them_beside_the_chips_and_says_when_nothing_is_found(ada, ana):
    url = reverse("admin:crm_contact_change", args=[ana.pk])
    shown = ada.get(url, {"words": "cabin", "kind": "note"}).content.decode()
    assert "Spoke of the cabin." in shown and 'value="cabin"' in shown and "Ordered for" not in shown
    assert "Nothing here says" in ada.get(url, {"words": "<b>castle</b>"}).content.decode()


@pytest.mark.parametrize(
    "words", ["%", "\\", "'; DROP TABLE crm_note; --", "\0", "\ud800", "a" * 9000, "_", "{}", "💥 x" * 90]
)
def test_whatever_is_typed_is_words_and_nothing_else(ada, ana, words):
    answer = ada.get(
        reverse("admin:crm_contact_change", args=[ana.pk]), {"words": words.encode("utf-8", "replace")}
    )
    assert answer.status_code == 200
    if words == "%":
        assert {entry.kind for entry in answer.context["page"].entries} == {"page", "act", "cart", "mail"}


def test_there_is_nothing_on_the_timeline_that_cannot_be_searched():
    assert all(source.searched for source in timeline.sources)
