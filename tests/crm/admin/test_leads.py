"""The lead board in the back office: who stands where and why, moved and given by hand, in any direction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.admin.leads import board
from crm.kernel import clock
from crm.models import ContactChange, Lead, Stage, StageMove, Task
from tests import office

BOARD = "admin:crm_lead_board"
TABLE = "admin:crm_lead_changelist"


def text(answer) -> str:
    return answer.content.decode()


@pytest.fixture(autouse=True)
def today():
    with clock.frozen(office.NOW + timedelta(hours=1)):
        yield


@pytest.fixture
def lead(world) -> Lead:
    return Lead.objects.get()


def stage(meaning: str) -> Stage:
    return Stage.objects.get(meaning=meaning)


def move(client, lead: Lead, to: object, **headers):
    url = reverse("admin:crm_lead_move", args=[lead.pk])
    return client.post(url, {"stage": getattr(to, "pk", to)}, **headers)


def crowd(number: int) -> list[Lead]:
    """Leads with scores 1, 2, 3…"""
    hot = Lead.objects.get().definition
    people = [office.person(f"c{place}@shop-customers.example", agreed=False) for place in range(number)]
    return [office.lead(person, hot, score=place + 1) for place, person in enumerate(people)]


def test_the_board_shows_who_stands_where_with_what_they_are_worth_and_why(world, ada, lead):
    world.contact.engagement.spent = 249
    world.contact.engagement.save()
    shown = text(ada.get(reverse(BOARD)))
    for words in ("ready for sales", "Ana Oliveira", "+10</b> Bought", "249.00 EUR spent", "no owner"):
        assert words in shown
    assert shown.count("Nobody.") == 2


def test_who_stands_longer_than_the_stage_allows_is_said_to(world, ada, lead):
    assert "too long" not in text(ada.get(reverse(BOARD)))
    Lead.objects.update(stage_since=office.NOW - timedelta(days=365))
    assert "days, too long" in text(ada.get(reverse(BOARD)))


def test_a_lead_is_moved_onwards_and_back_by_hand(world, ada, lead):
    for meaning in ("sales_ready", "lead"):
        assert move(ada, lead, stage(meaning))["Location"].startswith(reverse(BOARD))
        lead.refresh_from_db()
        assert lead.stage.meaning == meaning
    assert [row.actor for row in StageMove.objects.all()] == ["ada", "ada"]
    assert not any(StageMove.objects.values_list("by_rule", flat=True))


def test_htmx_gets_the_columns_alone_with_what_happened(world, ada, lead):
    shown = text(move(ada, lead, stage("nurture"), headers={"HX-Request": "true"}))
    assert shown.lstrip().startswith('<div id="rk-board">')
    assert "Ana Oliveira was moved" in shown
    assert "1 person" in shown


def test_whoever_was_just_moved_is_seen_however_low_their_score(world, ada, lead):
    low = crowd(board.FIRST + 5)[0]
    Lead.objects.exclude(pk=low.pk).update(stage=stage("nurture"), score=50)
    assert f"lead-{low.pk}" in text(move(ada, low, stage("nurture"), headers={"HX-Request": "true"}))


@pytest.mark.parametrize("to", ["", "no uuid", "018f0000-0000-7000-8000-000000000000"])
def test_a_stage_that_is_gone_moves_nobody(world, ada, lead, to):
    assert "that one is gone" in text(move(ada, lead, to, headers={"HX-Request": "true"}))
    assert not StageMove.objects.exists()


def test_a_stage_of_another_definition_moves_nobody(world, ada, lead):
    other = office.definition("Cold").stages.first()
    move(ada, lead, other)
    lead.refresh_from_db()
    assert lead.stage.definition == lead.definition


def test_moving_needs_the_permission_to_change_leads_and_a_token(world, vera, lead):
    assert move(vera, lead, stage("nurture")).status_code == 403
    assert "Move</" not in text(vera.get(reverse(BOARD)))
    strict = office.logged_in(office.user("ada", is_superuser=True))
    strict.handler.enforce_csrf_checks = True
    assert move(strict, lead, stage("nurture")).status_code == 403
    lead.refresh_from_db()
    assert lead.stage == stage("lead")


def test_who_is_no_lead_any_more_is_not_on_the_board_and_not_moved(world, ada, lead):
    Lead.objects.update(ended_at=office.NOW)
    assert "Ana Oliveira" not in text(ada.get(reverse(BOARD)))
    assert move(ada, lead, stage("nurture")).status_code == 404


def test_columns_begin_with_the_highest_scores_and_go_on_page_by_page(world, ada, lead):
    crowd(2 * board.FIRST)
    first = ada.get(reverse(BOARD)).context["columns"][0]
    assert [card.lead.score for card in first.cards[:3]] == [40, 39, 38]
    seen, after = [card.lead.pk for card in first.cards], first.more
    assert first.people == 41
    while after:
        query = {"stage": first.key, "after": after}
        column = ada.get(reverse("admin:crm_lead_more"), query).context["column"]
        seen += [card.lead.pk for card in column.cards]
        after = column.more
    assert len(seen) == len(set(seen)) == 41


@pytest.mark.parametrize("after", ["x", "~", "9999999999~x", "1~\0"])
def test_a_nonsense_place_in_a_column_is_its_beginning(world, ada, lead, after):
    answer = ada.get(reverse("admin:crm_lead_more"), {"stage": stage("lead").pk, "after": after})
    assert "Ana Oliveira" in text(answer)


def test_the_board_is_narrowed_to_an_owner_a_source_and_a_definition(world, ada, lead):
    bo, cold = office.user("bo"), office.definition("Zeal")
    for query, there in (
        ({"owner": "nobody"}, True),
        ({"owner": bo.pk}, False),
        ({"source": "test"}, True),
        ({"source": "elsewhere"}, False),
        ({"source": "\0"}, True),
        ({"owner": "9" * 30}, True),
        ({"definition": cold.pk}, False),
        ({"definition": "no uuid"}, True),
    ):
        shown = text(ada.get(reverse(BOARD), query))
        assert (f"lead-{lead.pk}" in shown) is there, query


def test_the_board_costs_the_same_however_many_people_stand_on_it(world, ada, lead):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ada.get(reverse(BOARD)).status_code == 200
        return len(queries)

    ada.get(reverse(BOARD))
    before = cost()
    crowd(30)
    assert cost() <= before + 1  # Nobody stands nowhere: a second column is asked for its cards.


def test_without_a_definition_the_board_says_where_to_begin(db, ada):
    assert "Write the first definition" in text(ada.get(reverse(BOARD)))


def test_a_lead_is_given_to_a_colleague_and_taken_back(world, ada, lead):
    bo = office.user("bo")
    url = reverse("admin:crm_lead_assign", args=[lead.pk])
    for chosen, owner in ((bo.pk, bo), ("", None), ("999999", None), ("x", None)):
        ada.post(url, {"owner": chosen, "from": "contact"})
        lead.refresh_from_db()
        assert lead.owner == owner


def test_what_is_expected_of_a_lead_is_kept_counted_by_stage_and_on_the_timeline(world, ada, vera, lead):
    def expect(client, value):
        asked = {"value": value, "from": "contact"}
        return client.post(reverse("admin:crm_lead_expect", args=[lead.pk]), asked, follow=True)

    assert "Ana Oliveira: 1,200.50 EUR is expected." in text(expect(ada, "1200.50"))
    Lead.objects.filter(pk=crowd(1)[0].pk).update(stage=lead.stage, expected_value=99)
    board = text(ada.get(reverse("admin:crm_lead_board")))
    assert '<b>1,200.50 EUR</b> <span class="rk-note">expected' in board
    assert "<b>1,299.50 EUR</b> expected" in board
    shown = text(ada.get(reverse("admin:crm_contact_change", args=[lead.contact_id])))
    assert 'name="value" min="0" step="0.01" value="1200.50"' in shown and "Lead value: 1200.50" in shown
    assert "1,200.50 EUR" in text(ada.get(reverse("admin:crm_lead_changelist")))
    for wrong in ("-1", "a lot", "99999999999", "1.234"):
        assert "Expected value: Ensure" in (told := text(expect(ada, wrong))) or "Enter a number" in told
    lead.refresh_from_db()
    assert str(lead.expected_value) == "1200.50"
    expect(ada, "1200.50")
    assert ContactChange.objects.filter(field="lead_value").count() == 1
    assert "nothing is expected" in text(expect(ada, ""))
    assert expect(vera, "5").status_code == 403


def test_leads_are_taken_over_from_the_table(world, ada, vera, lead):
    asked = {"action": "take_over", "_selected_action": [str(lead.pk)]}
    vera.post(reverse(TABLE), asked)
    lead.refresh_from_db()
    assert lead.owner is None
    ada.post(reverse(TABLE), asked)
    lead.refresh_from_db()
    assert lead.owner.username == "ada"


def test_the_table_finds_people_by_name_and_whole_address(world, ada, lead):
    for typed, number in (("oliv", 1), (office.MAIL, 1), ("ana@", 0), ("berg", 0)):
        assert ada.get(reverse(TABLE), {"q": typed}).context["cl"].result_count == number, typed


def test_the_page_of_a_person_says_where_they_stand_and_moves_them(world, ada, vera, lead):
    page = reverse("admin:crm_contact_change", args=[world.contact.pk])
    shown = text(ada.get(page))
    for words in ("“Hot”", "+10</b> <span>Bought", "Call her back"):
        assert words in shown
    assert "Give</button>" not in text(vera.get(page))
    url = reverse("admin:crm_lead_move", args=[lead.pk])
    answer = ada.post(url, {"stage": stage("nurture").pk, "from": "contact"})
    assert answer["Location"] == page


def test_a_task_is_done_by_who_says_so(world, ada, vera):
    task = Task.objects.get()
    url = reverse("admin:crm_task_done", args=[task.pk])
    assert vera.post(url).status_code == 403
    ada.post(url)
    task.refresh_from_db()
    assert (task.done_by, task.done_at is not None) == ("ada", True)
    done_at = task.done_at
    ada.post(url)
    task.refresh_from_db()
    assert task.done_at == done_at


def test_tasks_are_made_found_and_finished_in_the_list(world, ada):
    answer = ada.post(
        reverse("admin:crm_task_add"),
        {"title": "Send the offer", "contact": world.contact.pk, "owner": office.user("bo").pk, "body": ""},
    )
    assert answer.status_code == 302
    made = Task.objects.get(title="Send the offer")
    table = reverse("admin:crm_task_changelist")
    ada.post(table, {"action": "finish", "_selected_action": [str(made.pk)]})
    for query, number in (({"state": "open"}, 1), ({"state": "done"}, 1), ({"whose": "nobody"}, 1), ({}, 2)):
        assert ada.get(table, query).context["cl"].result_count == number, query


@pytest.fixture
def handed(world, lead) -> Task:
    """The lead is ready for sales, and its owner has a task about it."""
    ready = stage("sales_ready")
    Lead.objects.update(stage=ready, rule_stage=ready)
    Stage.objects.create(definition=lead.definition, name="Accepted", meaning="accepted", position=9)
    row = StageMove.objects.create(contact=world.contact, definition=lead.definition, to_stage=ready)
    return Task.objects.create(
        pk=row.pk,
        contact=world.contact,
        kind=Task.Kind.HAND_OVER,
        title="Ana is ready",
        created_at=office.NOW,
    )


@pytest.mark.parametrize("said, meaning", [("accept", "accepted"), ("refuse", "nurture")])
def test_a_lead_handed_over_is_accepted_or_refused_and_the_task_is_done(world, ada, handed, said, meaning):
    assert "1 lead handed over to nobody" in text(ada.get(reverse(BOARD)))
    url = reverse("admin:crm_task_answer", args=[handed.pk])
    page = reverse("admin:crm_task_change", args=[handed.pk])
    assert "was handed over" in text(ada.get(page)) and url in text(ada.get(page))
    ada.post(url, {"do": said, "reason": "No budget"})
    handed.refresh_from_db()
    assert Lead.objects.get().stage.meaning == meaning
    assert str(Lead.objects.get().owner) == {"accept": "ada", "refuse": "None"}[said]
    assert handed.done_by == "ada"
    told = StageMove.objects.order_by("pk").last()
    assert told.reason == {"accept": "Accepted", "refuse": "No budget"}[said]
    assert url not in text(ada.get(page))
    ada.post(url, {"do": "refuse" if said == "accept" else "accept"})
    assert Lead.objects.get().stage.meaning == meaning


def test_answering_a_hand_over_needs_the_permission_to_change_leads(world, handed):
    clerk = office.logged_in(office.user("clerk", "crm.change_task", "crm.view_task"))
    assert clerk.post(reverse("admin:crm_task_answer", args=[handed.pk]), {"do": "accept"}).status_code == 403
    handed.refresh_from_db()
    assert handed.done_at is None


def test_a_hand_over_is_done_by_its_answer_alone_and_given_on_the_board(world, ada, handed):
    table = reverse("admin:crm_task_changelist")
    ada.post(table, {"action": "finish", "_selected_action": [str(handed.pk)]})
    shown = text(ada.post(reverse("admin:crm_task_done", args=[handed.pk]), follow=True))
    assert "accepted or refused" in shown
    form = {"title": "Ana", "body": "", "owner": office.user("bo").pk}
    ada.post(reverse("admin:crm_task_change", args=[handed.pk]), form)
    handed.refresh_from_db()
    assert (handed.done_at, handed.owner, handed.title) == (None, None, "Ana")


def test_a_plain_task_is_no_hand_over(world, ada):
    task = Task.objects.get()
    ada.post(reverse("admin:crm_task_answer", args=[task.pk]), {"do": "accept"})
    assert not StageMove.objects.exists()
