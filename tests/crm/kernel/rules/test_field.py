"""A rule is edited in rows that a server renders, and only a readable one is kept."""

import json

import pytest
from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import ValidationError
from django.db import models
from django.http import QueryDict
from django.test.utils import isolate_apps

from crm.kernel import backoffice
from crm.kernel.rules import RuleField, RuleFormField
from tests.crm.kernel.rules.cast import named, seen


class RuleForm(forms.Form):
    rule = RuleFormField()


def posted(**data):
    query = QueryDict(mutable=True)
    query.update({name.replace("_", "-"): value for name, value in data.items()})
    return RuleForm(query)


def test_what_is_shown_and_posted_again_is_the_same_rule():
    document = {"all": [named("Ana"), {"none": [seen(7), {"any": [named("Boris")]}]}]}
    html = str(RuleForm(initial={"rule": document})["rule"])
    form = RuleForm(fields_of(html))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["rule"] == document
    assert (
        "People who are called Ana,"
        " and are not among those who were seen in the last 7 days or are called Boris." in html
    )


def test_a_condition_is_added_with_its_initial_values_and_a_ticked_one_removed():
    html = str(RuleForm(initial={"rule": {"all": [named("Ana")]}})["rule"])
    data = fields_of(html) | {"rule-add": "test.seen_within", "rule-0-remove": "1"}
    form = RuleForm(data)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["rule"] == {"all": [{"kind": "test.seen_within", "params": {"days": 7}}]}


def test_a_condition_still_to_be_filled_is_shown_with_its_fields_and_the_error():
    form = RuleForm({"rule-op": "any", "rule-count": "0", "rule-add": "test.named"})
    assert not form.is_valid()
    assert form.errors["rule"] == ["1: name: This field is required."]
    html = str(form["rule"])
    assert 'name="rule-0-with-name"' in html and "This field is required." in html


def test_an_added_group_waits_for_its_first_condition():
    form = RuleForm({"rule-op": "any", "rule-count": "0", "rule-add": "group"})
    assert not form.is_valid()
    html = str(form["rule"])
    assert 'name="rule-0-add"' in html
    filled = RuleForm(fields_of(html) | {"rule-0-add": "test.seen_within"})
    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["rule"]["any"][0] == {
        "any": [{"kind": "test.seen_within", "params": {"days": 7}}]
    }


def test_the_document_itself_may_be_posted():
    document = {"all": [named("Ana")]}
    form = RuleForm({"rule": json.dumps(document)})
    assert form.is_valid() and form.cleaned_data["rule"] == document
    assert not RuleForm({"rule": json.dumps(document)}, initial={"rule": document}).has_changed()


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", '{"all": [NaN]}', '"x"', "[" * 50_000, '{"all": [{"kind": "test.gone"}]}', '{"all": 1}'],
)
def test_what_is_no_rule_is_refused_and_shown_without_harm(text):
    form = RuleForm({"rule": text})
    assert not form.is_valid()
    assert "rule-count" in str(form["rule"])


def test_hostile_text_is_escaped_where_it_is_shown():
    evil = "<script>alert(1)</script>"
    document = {"all": [{"kind": evil, "params": {}}, {"kind": "test.named", "params": {"name": evil}}]}
    html = str(RuleForm(initial={"rule": document})["rule"])
    assert "<script" not in html and "&lt;script&gt;" in html


@pytest.mark.parametrize("count", ["-1", "x", "", "99999999", "٣", None])
def test_a_false_count_of_rows_does_no_harm(count):
    data = {"rule-op": "all"} | ({"rule-count": count} if count is not None else {})
    assert RuleForm(data).errors["rule"] == ["This field is required."]


@isolate_apps("crm")
def test_a_model_keeps_only_rules_that_can_be_read():
    class Segment(models.Model):
        rule = RuleField(blank=True)

        class Meta:
            app_label = "crm"

    Segment(rule={"all": [named("Ana")]}).clean_fields(exclude=["id"])
    Segment().clean_fields(exclude=["id"])
    with pytest.raises(ValidationError, match="within a campaign"):
        Segment(rule={"all": [{"kind": "test.seen_since_entering"}]}).clean_fields(exclude=["id"])
    field = Segment._meta.get_field("rule").formfield(widget=forms.Textarea)
    assert isinstance(field, RuleFormField) and not field.required
    assert Segment._meta.get_field("rule").deconstruct()[1] == "django.db.models.JSONField"


@isolate_apps("crm")
def test_the_admin_shows_the_rows_and_not_a_text_area():
    class Segment(models.Model):
        rule = RuleField(blank=True)

        class Meta:
            app_label = "crm"

    admin = backoffice.ModelAdmin(Segment, AdminSite())
    field = admin.formfield_for_dbfield(Segment._meta.get_field("rule"), request=None)
    assert isinstance(field, RuleFormField) and "rule-op" in field.widget.render("rule", {})


@isolate_apps("crm")
def test_a_rule_of_a_campaign_may_ask_for_what_the_campaign_knows():
    class Step(models.Model):
        only_if = RuleField(offers=("entered_at",))

        class Meta:
            app_label = "crm"

    Step(only_if={"all": [{"kind": "test.seen_since_entering"}]}).clean_fields(exclude=["id"])


def fields_of(html):
    """The fields of a rendered form as a browser would post them."""
    from lxml import html as parser

    form = parser.fromstring(f"<form>{html}</form>")
    return dict(form.form_values())
