"""The address behind every rule being edited: rows again, whom they mean, and only for who may see."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from lxml import html

from crm.kernel import clock
from tests import office

URL = "/admin/crm/segment/rule/"


@pytest.fixture
def people(db):
    office.set_up_shop()
    before = clock.now() - timedelta(days=30)
    for name, country in (("Ana", "PT"), ("Bo", "DK"), ("Cy", "DK")):
        mail = f"{name.lower()}@shop-customers.example"
        office.person(mail, first_name=name, last_name="Case", country=country, now=before)


def ask(client, name="rule", **typed):
    posted = {f"{name}-{key}": value for key, value in typed.items()}
    return client.post(URL, {"rule": name, f"{name}-op": "all", f"{name}-count": "0"} | posted)


def country(value, place=0):
    return {f"{place}-kind": "crm.country", f"{place}-with-countries": value}


def words(answer):
    assert answer.status_code == 200, answer
    return " ".join(html.fromstring(answer.content.decode()).text_content().split())


def fields(answer):
    """What a browser would post next: every field of the answered rows."""
    form = html.fromstring(f"<form>{answer.content.decode()}</form>")
    return dict(form.form_values())


def test_the_address_is_the_one_the_rows_name():
    assert reverse("admin:crm_segment_rule") == URL


def test_the_count_the_examples_and_the_sentence_follow_what_is_typed(ada, people):
    told = words(ask(ada, count="1", **country("DK")))
    assert "2 people (of 3) · e-mail 2 · SMS 0" in told
    assert "People who live in Denmark." in told
    assert "2 examples" in told and "Cy Case" in told and "cy@shop-customers.example" in told
    assert "1 person (of 3)" in words(ask(ada, count="1", **country("PT")))


def test_what_is_pressed_answers_at_once_and_leaves_the_counting_for_after(ada, people):
    answer = ask(ada, count="1", add="crm.ordered", **country("DK"))
    assert fields(answer)["rule-1-kind"] == "crm.ordered"
    assert "people (of" not in words(answer)
    assert 'data-focus="rule-1"' in answer.content.decode()
    assert 'hx-trigger="load' in answer.content.decode(), "which asks right away"
    again = ada.post(URL, {"rule": "rule"} | fields(answer))
    assert "0 people (of 3)" in words(again)


def test_an_empty_group_stays_while_it_is_being_filled_and_counts_for_nothing(ada, people):
    answer = ask(ada, count="1", add="group", **country("DK"))
    assert fields(answer)["rule-1-op"] == "any"
    again = ada.post(URL, {"rule": "rule"} | fields(answer))
    assert fields(again)["rule-1-op"] == "any"
    assert "2 people (of 3)" in words(again)
    assert "Empty: add a condition" in words(again)


def test_a_removed_condition_is_gone_and_the_hand_stays_where_it_was(ada, people):
    answer = ask(ada, count="2", **country("DK"), **country("PT", 1), **{"0-remove": "1"})
    assert fields(answer)["rule-0-with-countries"] == "PT"
    assert "rule-1-kind" not in fields(answer)
    assert 'data-focus="rule-0"' in answer.content.decode()


def nested(*acts):
    """Country; a group of country; country: with something pressed."""
    typed = {"count": "3", "1-op": "any", "1-count": "1"}
    typed |= country("AA") | country("BB", "1-0") | country("CC", 2)
    return typed | dict.fromkeys(acts, "1")


@pytest.mark.parametrize(
    "pressed, order, focus",
    [
        ("0-down", {"rule-0-0-with-countries": "AA", "rule-0-1-with-countries": "BB"}, "rule-0-0-down"),
        ("2-up", {"rule-1-0-with-countries": "BB", "rule-1-1-with-countries": "CC"}, "rule-1-1-up"),
        ("1-0-up", {"rule-1-with-countries": "BB", "rule-3-with-countries": "CC"}, "rule-1-up"),
        ("1-0-down", {"rule-2-with-countries": "BB", "rule-3-with-countries": "CC"}, "rule-2-down"),
        ("1-up", {"rule-0-0-with-countries": "BB", "rule-1-with-countries": "AA"}, "rule-0-up"),
        ("0-up", {"rule-0-with-countries": "AA"}, "rule-0-up"),
        ("2-down", {"rule-2-with-countries": "CC"}, "rule-2-down"),
    ],
)
def test_rows_move_line_by_line_into_groups_and_out_of_them(ada, people, pressed, order, focus):
    answer = ask(ada, **nested(pressed))
    assert order.items() <= fields(answer).items()
    assert f'data-focus="{focus}"' in answer.content.decode()


def test_a_problem_stands_beside_its_condition_and_the_rest_is_counted(ada, people):
    typed = country("DK") | {"1-kind": "crm.spent", "1-with-at_least": "many"} | {"2-kind": "crm.gone"}
    answer = ask(ada, count="3", **typed)
    told = words(answer)
    assert "Enter a number." in told
    assert "there is no condition called 'crm.gone'" in told
    assert "2 conditions cannot be read: until mended the rule means nobody." in told
    assert "The count is without them." in told
    assert "2 people (of 3)" in told


def test_a_rule_of_a_campaign_may_ask_what_the_campaign_knows_and_says_what_is_not_counted(ada, people):
    typed = country("DK") | {"1-kind": "crm.ordered_since_entering", "1-with-times": "1"}
    told = words(ask(ada, count="2", offers="entered_at subject", **typed))
    assert "1 condition asks about the person's run" in told
    assert "2 people (of 3)" in told
    assert "can only be asked within a campaign" in words(ask(ada, count="2", **typed))


def test_a_page_cannot_offer_what_no_rule_is_ever_offered(ada, people):
    from crm.kernel.rules import form

    assert form.known_offers("entered_at the_moon subject:cart <b>") == {"entered_at", "subject:cart"}


def test_several_rules_on_one_page_each_have_their_own_names(ada, people):
    name = "score_lines-2-rule"
    answer = ask(ada, name=name, count="1", **country("DK"))
    assert fields(answer)[f"{name}-0-with-countries"] == "DK"
    assert f'id="id_{name}"' in answer.content.decode()


def test_a_person_is_tried_against_a_rule_that_was_never_saved(ada, people):
    typed = {"count": "1", "try": " ANA@shop-customers.example "} | country("DK")
    told = words(ask(ada, **typed))
    assert "Ana Case is out." in told
    assert "live in Denmark (lives in Portugal)" in told
    assert "It would be in with" in told
    assert "Bo Case is in." in words(ask(ada, **typed | {"try": "bo@shop-customers.example"}))
    assert "Nobody has the address x@y.example" in words(ask(ada, **typed | {"try": "x@y.example"}))


def only(name, *permissions):
    return office.logged_in(office.user(name, *permissions))


def test_who_may_not_see_people_gets_the_count_and_nobody(people):
    typed = {"count": "1", "try": "bo@shop-customers.example"} | country("DK")
    told = words(ask(only("sam", "crm.view_segment"), **typed))
    assert "2 people (of 3)" in told
    assert "Case" not in told and "example" not in told


@pytest.mark.parametrize(
    "permission, status",
    [
        ("crm.view_segment", 200),
        ("crm.change_leadversion", 200),
        ("campaigns.change_campaign", 200),
        ("campaigns.add_campaign", 200),
        ("crm.view_contact", 403),
        ("campaigns.view_campaign", 403),
        ("crm.change_order", 403),
    ],
)
def test_counting_is_for_who_may_see_segments_or_write_rules(people, permission, status):
    assert ask(only("pat", permission), count="1", **country("DK")).status_code == status


def test_it_is_asked_by_posting_alone_and_by_colleagues_alone(ada, client, people):
    assert ada.get(URL).status_code == 405
    assert client.post(URL, {"rule": "rule"}).status_code == 302


@pytest.mark.parametrize("name", ["", "a b", 'x"><script>', "rule\0", "é", "x" * 201, "__proto__.x", "a'b"])
def test_a_name_that_no_field_has_is_refused(ada, people, name):
    assert ada.post(URL, {"rule": name}).status_code == 400


HOSTILE = ["'; DROP TABLE crm_contact; --", "x' OR 1=1", "%s", "{0}", "a\0b", "<script>alert(1)</script>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_typed_reaches_the_database_as_a_name_or_the_page_as_markup(ada, people, text):
    typed = {
        "count": "4",
        "op": text,
        "add": text,
        "offers": text,
        "try": text,
        "2-op": text,
        "2-count": text,
    }
    typed |= {"0-kind": text, "1-kind": "crm.name", "1-with-contains": text, "1-with-" + text: text}
    posted = {f"rule-{key}": value for key, value in typed.items()} | {"rule": "rule"}
    for pressed in ({}, {"rule-add": ""}):
        answer = ada.post(URL, posted | pressed)
        assert answer.status_code == 200
        assert "<script" not in answer.content.decode()
    assert office.Contact.objects.count() == 3


@pytest.mark.parametrize("depth, wide", [(1, 200), (9, 20), (10, 3)])
def test_large_and_deep_rules_are_counted(ada, people, depth, wide):
    prefix, typed = "", {}
    for _ in range(depth - 1):
        typed |= {f"{prefix}op": "all", f"{prefix}count": "1"}
        prefix += "0-"
    typed |= {f"{prefix}op": "any", f"{prefix}count": str(wide)}
    for place in range(wide):
        typed |= country("DK", f"{prefix}{place}")
    answer = ask(ada, **typed)
    assert "2 people (of 3)" in words(answer)
    assert len([key for key in fields(answer) if key.endswith("-kind")]) == wide


def test_more_conditions_than_a_rule_holds_are_told(ada, people):
    typed = {"count": "201"}
    for place in range(201):
        typed |= country("DK", place)
    assert "1 condition cannot be read" in words(ask(ada, **typed))


@pytest.mark.proof
def test_a_form_with_two_hundred_conditions_can_be_saved(ada, people):
    rule = {"any": [{"kind": "crm.ordered", "params": {"times": "1", "category": "x"}}] * 200}
    shown = ada.post("/admin/crm/segment/add/", {"name": "Large", "rule": json.dumps(rule), "every": "1h"})
    assert shown.status_code == 302
    from crm.models import Segment

    page = ada.get(f"/admin/crm/segment/{Segment.objects.get().pk}/change/")
    form = html.fromstring(page.content.decode()).get_element_by_id("segment_form")
    values = {field.get("name"): "" for field in form.inputs if field.get("name")} | dict(form.form_values())
    assert len(values) > 1000
    assert ada.post(page.wsgi_request.path, values).status_code == 302
    assert len(Segment.objects.get().rule["any"]) == 200


def test_an_estimate_says_that_it_is_one(ada, people, monkeypatch):
    from crm.admin import rule_builder
    from crm.audience.previewing import Preview

    told = {"count": 1234, "total": 48210, "is_estimate": True, "seconds": 1.4}
    monkeypatch.setattr(rule_builder.previewing, "preview", lambda *args, **kwargs: Preview(**told))
    assert "about 1,234 people (of 48,210), estimated from a sample" in words(
        ask(ada, count="1", **country("DK"))
    )
    monkeypatch.setattr(rule_builder.previewing, "preview", lambda *args, **kwargs: Preview(None, 48210))
    assert "Many people (of 48,210)" in words(ask(ada, count="1", **country("DK")))


def test_the_permissions_of_models_that_keep_rules_are_found_by_themselves(db):
    from crm.admin.rule_builder import may_count

    stage = office.user("stage")
    stage.user_permissions.add(Permission.objects.get(codename="change_stage"))
    assert may_count(stage)
