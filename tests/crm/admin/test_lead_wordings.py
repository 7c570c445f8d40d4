"""What a lead is, written in the back office: drafts, their count, publishing, stages, a try on somebody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse

from crm.admin.leads import counting, picture
from crm.kernel import clock
from crm.models import Lead, LeadDefinition, LeadVersion, ScoreLine, Stage, StageMove
from crm.people import engagement
from tests import office


def text(answer) -> str:
    return answer.content.decode()


@pytest.fixture(autouse=True)
def today():
    with clock.frozen(office.NOW + timedelta(hours=1)):
        yield


@pytest.fixture
def hot(world) -> LeadDefinition:
    return LeadDefinition.objects.get()


@pytest.fixture
def draft(hot) -> LeadVersion:
    return hot.versions.get(published_at=None)


def page(row) -> str:
    return reverse(f"admin:crm_{row._meta.model_name}_change", args=[row.pk])


def rule(name: str, kind: str, **params: str) -> dict[str, str]:
    """A rule of one condition as a browser posts it."""
    fields = {f"{name}-op": "all", f"{name}-count": "1", f"{name}-0-kind": kind}
    return fields | {f"{name}-0-with-{key}": value for key, value in params.items()}


def empty(name: str) -> dict[str, str]:
    return {f"{name}-op": "all", f"{name}-count": "0"}


def wording(draft: LeadVersion, **is_lead: str) -> dict[str, str]:
    """The draft's form with nothing but who is a lead."""
    line = draft.score_lines.first()
    kept = {
        "score_lines-0-id": str(line.pk),
        "score_lines-0-version": str(draft.pk),
        "score_lines-0-label": "Bought",
        "score_lines-0-points": "15",
        "score_lines-0-halves_days": "30",
        "score_lines-0-position": "1",
        **rule("score_lines-0-rule", "crm.ordered", times="1"),
    }
    return {
        **rule("is_lead", "crm.ordered", **({"times": "2"} | is_lead)),
        **empty("enter_nurturing"),
        **empty("sales_ready"),
        "score_lines-TOTAL_FORMS": "1",
        "score_lines-INITIAL_FORMS": "1",
        **kept,
    }


def test_the_list_says_what_each_definition_means_and_how_many_it_means(world, ada, hot):
    office.definition("Later", published=False)
    LeadDefinition.objects.filter(name="Hot").update(problem="The product was deleted")
    shown = text(ada.get(reverse("admin:crm_leaddefinition_changelist")))
    for words in ("People who bought.", "Nobody yet: no wording is published.", "The product was deleted"):
        assert words in shown


def test_a_new_definition_begins_with_stages_and_a_draft_to_write(world, ada):
    answer = ada.post(reverse("admin:crm_leaddefinition_add"), {"name": "Warm", "is_active": "on"})
    made = LeadDefinition.objects.get(name="Warm")
    assert answer["Location"] == page(made.versions.get())
    assert made.stages.filter(meaning="sales_ready").exists()
    assert ada.get(page(made)).status_code == 200


def test_the_page_says_where_they_stand_how_scores_spread_and_which_wordings_there_were(world, ada, hot):
    shown = text(ada.get(page(hot)))
    for words in ("1 lead", "version 1 counts since", "published by ada", "The same as a table", "+10"):
        assert words in shown
    assert "Go on with the draft of version 2" in shown


def test_changing_the_wording_begins_with_a_copy_and_keeps_to_one_draft(world, ada, vera, hot, draft):
    url = reverse("admin:crm_leaddefinition_word", args=[hot.pk])
    assert vera.post(url).status_code == 403
    assert ada.post(url)["Location"] == page(draft)
    draft.delete()
    ada.post(url)
    ada.post(url)
    copy = hot.versions.get(published_at=None)
    assert copy.is_lead == hot.versions.get(number=1).is_lead
    assert copy.score_lines.count() == 1


def test_a_draft_is_saved_with_its_score_lines(world, ada, draft):
    assert ada.post(page(draft), wording(draft)).status_code == 302
    draft.refresh_from_db()
    assert draft.is_lead == {"all": [{"kind": "crm.ordered", "params": {"times": "2"}}]}
    line = draft.score_lines.get()
    assert (line.points, line.halves_days) == (15, 30)


def test_saving_and_publishing_is_one_button_and_the_wording_stays_for_good(world, ada, hot, draft):
    answer = ada.post(page(draft), wording(draft) | {"_publish": "1"})
    assert answer["Location"] == page(hot)
    draft.refresh_from_db()
    assert draft.published_by == "ada"
    assert draft.is_lead["all"][0]["params"] == {"times": "2"}
    ada.post(page(draft), wording(draft, times="9"))
    draft.refresh_from_db()
    assert draft.is_lead["all"][0]["params"] == {"times": "2"}
    assert "not changed since" in text(ada.get(page(draft)))


def test_a_wording_with_a_problem_is_saved_and_not_published(world, ada, hot, draft):
    Stage.objects.filter(definition=hot, meaning="lead").update(meaning="other")
    ada.post(page(draft), wording(draft) | {"_publish": "1"})
    draft.refresh_from_db()
    assert draft.published_at is None
    assert "there is none that means" in text(ada.get(page(draft)))


def test_publishing_needs_the_permission_to_change_definitions(world, draft):
    names = ["crm.view_leadversion", "crm.change_leadversion", "crm.view_scoreline", "crm.change_scoreline"]
    writer = office.logged_in(office.user("wim", *names))
    assert "Save and publish" not in text(writer.get(page(draft)))
    assert writer.post(page(draft), wording(draft) | {"_publish": "1"}).status_code == 403
    draft.refresh_from_db()
    assert draft.published_at is None


def count(client, draft: LeadVersion, data: dict[str, str]):
    return client.post(reverse("admin:crm_leadversion_count", args=[draft.pk]), data)


def test_who_would_be_a_lead_is_counted_before_anything_is_saved(world, ada, draft):
    before = LeadVersion.objects.values().get(pk=draft.pk)
    shown = text(count(ada, draft, rule("is_lead", "crm.ordered", times="2")))
    told = ("People who bought at least 2 times.", "1 person would stop being one", "Under this wording")
    for words in told:
        assert words in shown
    assert LeadVersion.objects.values().get(pk=draft.pk) == before
    bo = office.person("bo@shop-customers.example", now=office.NOW - timedelta(days=9))
    office.order(bo, world.product, number=9, at=office.NOW - timedelta(days=8))
    engagement.recount_orders([bo.pk, world.contact.pk])
    shown = text(count(ada, draft, rule("is_lead", "crm.ordered", times="1")))
    assert "1 person would become a lead." in shown


def test_whoever_a_hand_or_sales_holds_is_not_counted_as_one_who_stops(world, ada, hot, draft):
    asked = rule("is_lead", "crm.ordered", times="2")
    assert "would stop" in text(count(ada, draft, asked))
    Lead.objects.update(stage=hot.stages.get(meaning="nurture"))
    assert "change nobody" in text(count(ada, draft, asked))


def test_a_broken_and_an_empty_rule_are_told_instead_of_counted(world, ada, draft):
    assert "add a condition" in text(count(ada, draft, empty("is_lead")))
    assert "rk-problems" in text(count(ada, draft, rule("is_lead", "crm.no_such", times="2")))


def test_counting_that_takes_too_long_says_so(world, ada, draft, monkeypatch):
    monkeypatch.setattr(counting, "within", lambda seconds, ask: None)
    assert "longer than 10 seconds" in text(count(ada, draft, rule("is_lead", "crm.ordered", times="1")))


def test_a_colleague_counts_one_wording_at_a_time(world, ada, draft):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            user = User.objects.get(username="ada")
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [counting.LOCK_SPACE, user.pk])
        asked = rule("is_lead", "crm.ordered", times="1")
        shown = text(count(ada, draft, asked))
        assert "Still counting what was written before" in shown
        assert "hx-post" in shown
        # Given back by a statement: what a closed connection held is let go some time after it was closed.
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [counting.LOCK_SPACE, user.pk])
    finally:
        other.close()
    assert "Under this wording" in text(count(ada, draft, asked))


def test_counting_is_for_those_who_may_write_the_draft(world, ada, vera, hot, draft):
    asked = rule("is_lead", "crm.ordered", times="1")
    assert count(vera, draft, asked).status_code == 403
    assert count(ada, hot.versions.get(number=1), asked).status_code == 403


@pytest.mark.parametrize(
    "now, begins, ends",
    [
        (datetime(2026, 11, 23, 12, tzinfo=UTC), "2026-07-01", "2026-10-01"),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "2025-10-01", "2026-01-01"),
        (datetime(2026, 5, 31, 12, tzinfo=UTC), "2026-01-01", "2026-04-01"),
    ],
)
def test_last_quarter_is_the_whole_one_before_this(now, begins, ends):
    assert [str(at.date()) for at in counting.last_quarter(now)] == [begins, ends]


def stages(hot: LeadDefinition, **changes: str) -> dict[str, str]:
    """The definition's form with its stages as they are, but for some fields."""
    data = {"name": hot.name, "is_active": "on", "stages-INITIAL_FORMS": str(hot.stages.count())}
    data["stages-TOTAL_FORMS"] = data["stages-INITIAL_FORMS"]
    for place, stage in enumerate(hot.stages.order_by("position", "name")):
        name = f"stages-{place}"
        fields = {"id": stage.pk, "definition": hot.pk, "name": stage.name, "meaning": stage.meaning}
        data |= {f"{name}-{key}": str(value) for key, value in fields.items()}
        data |= {f"{name}-position": str(stage.position), f"{name}-limit_days": "7"} | empty(f"{name}-rule")
    return data | changes


def test_stages_are_renamed_and_the_next_refresh_asks_everybody(world, ada, hot):
    LeadDefinition.objects.update(marked=7)
    assert ada.post(page(hot), stages(hot, **{"stages-0-name": "Fresh"})).status_code == 302
    hot.refresh_from_db()
    assert hot.stages.first().name == "Fresh"
    assert hot.marked == 0


def test_a_stage_somebody_was_ever_at_stays(world, ada, hot):
    nurture = hot.stages.get(meaning="nurture")
    StageMove.objects.create(contact=world.contact, definition=hot, to_stage=nurture, occurred_at=office.NOW)
    answer = ada.post(page(hot), stages(hot, **{"stages-1-DELETE": "on"}))
    assert "so it stays" in text(answer)
    assert ada.post(page(hot), stages(hot, **{"stages-2-DELETE": "on"})).status_code == 302
    assert set(hot.stages.values_list("meaning", flat=True)) == {"lead", "nurture"}


def test_a_stage_somebody_is_at_stays(world, ada, hot):
    assert "so it stays" in text(ada.post(page(hot), stages(hot, **{"stages-0-DELETE": "on"})))


def test_a_wording_is_tried_on_a_person_line_by_line(world, ada, draft):
    ScoreLine.objects.create(version=draft, rule=office.bought(5), points=-3, position=200)
    engagement.recount_orders([world.contact.pk])
    shown = text(ada.get(page(draft), {"person": office.MAIL.upper()}))
    for words in ("10 points", "bought at least 5 times", "bought once, last on 14 October 2026"):
        assert words in shown
    assert "Nobody has the address" in text(ada.get(page(draft), {"person": "x@nowhere.example"}))


def test_the_spread_has_a_bar_for_each_step_and_loses_nobody(world, hot):
    for number, score in enumerate((-7, 0, 3, 88, 88, 140)):
        office.lead(office.person(f"s{number}@shop-customers.example", agreed=False), hot, score=score)
    bars = picture.spread(hot)["bars"]
    assert sum(bar.people for bar in bars) == 7
    assert len(bars) <= picture.BARS + 2
    assert all(after.low == before.high + 1 for before, after in pairwise(bars))


def test_how_scores_would_spread_is_shown_for_a_draft_and_for_what_counts(world, ada, sten, hot, draft):
    engagement.recount_orders([world.contact.pk])
    for version in (draft, hot.versions.get(number=1)):
        url = reverse("admin:crm_leadversion_spread", args=[version.pk])
        assert "A month ago" in text(ada.get(url))
        assert sten.get(url).status_code == 403
