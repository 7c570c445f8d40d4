"""Who a person is, asked by rules: now and then, true and false, in words, with reasons, stirred."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Company, Contact, Engagement, OwnField
from crm.people import changes
from crm.people.identity import Known, resolve
from tests.crm.asking import NOW, YESTERDAY, asked, said, same, told, who

LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
def people(db):
    """Ana, Boris, Chen, known for long; what stands on them was written yesterday."""
    ids = resolve(
        [
            Known(email="ana@acme.example", first_name="Ana", source="fair", country="DE", language="pt-BR"),
            Known(email="boris@mail.acme.example", first_name="Boris", source="shop", country="AT"),
            Known(email="chen@else.example", first_name="Chen", source="shop", time_zone="Asia/Shanghai"),
        ],
        LONG_AGO,
        source="shop",
    )
    found = Contact.objects.in_bulk(ids)
    return {found[pk].first_name: found[pk] for pk in ids}


def write(person, at=YESTERDAY, **values):
    before = Contact.objects.get(pk=person.pk)
    after = Contact.objects.get(pk=person.pk)
    for name, value in values.items():
        setattr(after, name, value)
    after.save()
    changes.note(before, after, at, actor="mia")


BEFORE = YESTERDAY - timedelta(hours=1)


def test_country_language_zone_source_and_domain(people):
    assert same("crm.country", countries=["DE", "AT"]) == {"Ana", "Boris"}
    assert same("crm.country", countries="de, at") == {"Ana", "Boris"}
    assert said("crm.country", countries=["DE", "AT"]) == "live in Germany or Austria"
    assert told("Ana", "crm.country", countries=["AT"]) == "lives in Germany"
    assert told("Chen", "crm.country", countries=["AT"]) == "country not known"
    assert same("crm.language", language="de, PT") == {"Ana"}
    assert said("crm.language", language="de, pt") == "speak de or pt"
    assert same("crm.time_zone", zones=["Asia/Shanghai"]) == {"Chen"}
    assert same("crm.source", sources=["shop"]) == {"Boris", "Chen"}
    assert said("crm.source", sources=["shop", "fair"]) == "first came from “shop” or “fair”"
    assert same("crm.email_domain", domains="acme.example") == {"Ana", "Boris"}
    assert same("crm.email_domain", domains="@mail.acme.example, nowhere.example") == {"Boris"}
    assert told("Ana", "crm.email_domain", domains="x.example") == "at acme.example"
    assert same("crm.country", countries=["Germany"]) == set()
    write(people["Ana"], country="FR", language="fr", time_zone="Europe/Paris", source="import")
    for kind, params in (
        ("crm.country", {"countries": ["FR"]}),
        ("crm.language", {"language": "fr"}),
        ("crm.time_zone", {"zones": ["Europe/Paris"]}),
        ("crm.source", {"sources": ["import"]}),
    ):
        assert same(kind, **params) == {"Ana"}
        assert who(kind, at=BEFORE, **params) == set()
    assert who("crm.source", at=BEFORE, sources=["fair"]) == {"Ana"}


def test_tags(people):
    write(people["Ana"], tags=["vip", "fair"])
    write(people["Boris"], tags=["fair"])
    assert same("crm.tag", tag="vip") == {"Ana"}
    assert same("crm.tag", tag="vip, fair") == {"Ana", "Boris"}
    assert same("crm.tag", tag="vip, fair", how="all") == {"Ana"}
    assert same("crm.tag", tag="vip, fair", how="none") == {"Chen"}
    assert said("crm.tag", tag="vip, fair", how="none") == "are not tagged “vip” or “fair”"
    assert said("crm.tag", tag="vip, fair", how="all") == "are tagged “vip” and “fair”"
    assert told("Ana", "crm.tag", tag="x") == "tagged vip, fair"
    assert told("Chen", "crm.tag", tag="x") == "no tags"
    assert who("crm.tag", at=BEFORE, tag="vip") == set()


def test_known_for_drifts_over_its_day(people):
    document = asked("crm.known_since", which="least", days="400")
    assert same("crm.known_since", which="least", days="400") == {"Ana", "Boris", "Chen"}
    assert who("crm.known_since", at=NOW - timedelta(seconds=1), which="least", days="400") == set()
    moved = rules.drift(document, NOW - timedelta(seconds=1), NOW, Scope(current=True))
    assert {row["pk"] for query in moved for row in query} == {person.pk for person in people.values()}
    assert not any(rules.drift(document, NOW + timedelta(1), NOW + timedelta(2), Scope(current=True))[0])
    assert said("crm.known_since", which="most", days="1") == "have been known for at most 1 day"
    condition = rules.conditions.get("crm.known_since")
    value = {"since": LONG_AGO.isoformat(), "at": NOW.isoformat()}
    assert told("Ana", "crm.known_since", which="least", days="1") == "known since 26 January 2025"
    assert condition.change({"which": "least", "days": 402}, value, wanted=True) == "2 days more"
    assert condition.change({"which": "most", "days": 401}, value, wanted=False) == "1 day more"
    assert condition.change({"which": "most", "days": 2}, value, wanted=True) == ""


def test_a_list_of_words_has_an_end(people):
    many = ", ".join(f"w{number}" for number in range(101))
    assert rules.problems(asked("crm.tag", tag=many))
    assert not rules.problems(asked("crm.tag", tag=many.rpartition(",")[0]))


def test_owner(people):
    mia = User.objects.create(username="mia", first_name="Mia", last_name="Lund", is_staff=True)
    write(people["Ana"], owner=mia)
    assert same("crm.owner", owner=str(mia.pk)) == {"Ana"}
    assert same("crm.owner", owner="somebody") == {"Ana"}
    assert same("crm.owner", owner="nobody") == {"Boris", "Chen"}
    assert who("crm.owner", at=BEFORE, owner="nobody") == {"Ana", "Boris", "Chen"}
    assert said("crm.owner", owner=str(mia.pk)) == "are looked after by Mia Lund"
    assert told("Ana", "crm.owner", owner="nobody") == "looked after by Mia Lund"
    assert told("Boris", "crm.owner", owner="nobody") == "looked after by nobody"
    Engagement.objects.update(stirred=0)
    assert changes.let_go("owner", [mia.pk], NOW, actor="ada") == 1
    mia.delete()
    assert same("crm.owner", owner="nobody") == {"Ana", "Boris", "Chen"}
    assert who("crm.owner", at=NOW - timedelta(hours=1), owner="nobody") == {"Boris", "Chen"}
    assert Engagement.objects.get(contact=people["Ana"]).stirred > 0
    broken = asked("crm.owner", owner=str(mia.pk or 999))
    assert rules.problems(broken) and who("crm.owner", owner="999") == set()


def test_company(people):
    acme = Company.objects.create(name="Acme Sound", domain="acme.example", country="dk")
    other = Company.objects.create(name="Else", domain="else.example", country="SE")
    write(people["Ana"], company=acme)
    write(people["Boris"], company=other)
    assert same("crm.has_company", which="yes") == {"Ana", "Boris"}
    assert same("crm.has_company", which="no") == {"Chen"}
    assert who("crm.has_company", at=BEFORE, which="no") == {"Ana", "Boris", "Chen"}
    assert same("crm.company_name", how="contains", name="sound") == {"Ana"}
    assert same("crm.company_name", how="begins", name="acme") == {"Ana"}
    assert same("crm.company_name", how="is", name="else") == {"Boris"}
    assert same("crm.company_domain", domains="www.acme.example") == {"Ana"}
    assert same("crm.company_country", countries=["DK"]) == {"Ana"}
    assert said("crm.company_country", countries=["DK"]) == "work for a company in Denmark"
    assert told("Ana", "crm.has_company", which="no") == "works for Acme Sound (acme.example, dk)"
    assert told("Chen", "crm.has_company", which="yes") == "no company known"
    changes.let_go("company", [acme.pk], NOW, actor="ada")
    acme.delete()
    assert same("crm.company_name", how="contains", name="sound") == set()
    assert who("crm.has_company", at=NOW - timedelta(hours=1), which="yes") == {"Ana", "Boris"}


FIELDS = [
    ("hobby", "text", {"Ana": "Sailing, far out", "Boris": "chess"}),
    ("size", "number", {"Ana": 40.5, "Boris": 38}),
    ("member", "flag", {"Ana": True, "Boris": False}),
    ("mood", "choice", {"Ana": "Sunny", "Boris": "Grey"}),
    ("birthday", "date", {"Ana": "1990-03-04", "Boris": "2026-03-01"}),
]


@pytest.fixture
def answered(people):
    for key, sort, _answers in FIELDS:
        choices = ["Sunny", "Grey"] if sort == "choice" else []
        OwnField.objects.create(key=key, label=key.title(), type=sort, choices=choices)
    for name in ("Ana", "Boris"):
        write(people[name], fields={key: answers[name] for key, _sort, answers in FIELDS})
    return people


ANSWERS = [
    ("text", "hobby", "is", {"words": "CHESS, golf"}, {"Boris"}, "have Hobby “CHESS” or “golf”"),
    ("text", "hobby", "is", {"words": "sailing, far out;golf"}, {"Ana"}, None),
    ("text", "hobby", "isnt", {"words": "chess"}, {"Ana", "Chen"}, "have Hobby not “chess”"),
    ("text", "hobby", "contains", {"words": "sail, xyz"}, {"Ana"}, None),
    ("text", "hobby", "begins", {"words": "far"}, set(), "have Hobby beginning with “far”"),
    ("text", "hobby", "given", {}, {"Ana", "Boris"}, "have an answer for Hobby"),
    ("text", "hobby", "blank", {}, {"Chen"}, "have no answer for Hobby"),
    ("number", "size", "least", {"number": "40"}, {"Ana"}, "have Size at least 40"),
    ("number", "size", "most", {"number": "40"}, {"Boris"}, None),
    ("number", "size", "exactly", {"number": "40.50"}, {"Ana"}, "have Size exactly 40.5"),
    ("number", "size", "between", {"number": "38", "upto": "40.5"}, {"Ana", "Boris"}, None),
    ("number", "size", "blank", {}, {"Chen"}, None),
    ("flag", "member", "yes", {}, {"Ana"}, "have Member answered with yes"),
    ("flag", "member", "no", {}, {"Boris"}, None),
    ("flag", "member", "blank", {}, {"Chen"}, None),
    ("choice", "mood", "is", {"answers": "sunny"}, {"Ana"}, "have Mood “Sunny”"),
    ("choice", "mood", "isnt", {"answers": "Sunny"}, {"Boris", "Chen"}, None),
    ("date", "birthday", "before", {"day": "1990-03-05"}, {"Ana"}, "have Birthday before 5 March 1990"),
    ("date", "birthday", "before", {"day": "1990-03-04"}, set(), None),
    ("date", "birthday", "after", {"day": "1990-03-04"}, {"Boris"}, None),
    ("date", "birthday", "last", {"days": "1"}, {"Boris"}, "have Birthday in the last day"),
    ("date", "birthday", "next", {"days": "30"}, set(), None),
    ("date", "birthday", "given", {}, {"Ana", "Boris"}, None),
]


def test_own_fields_of_every_type(answered):
    for sort, field, how, more, expected, words in ANSWERS:
        kind = f"crm.own_{sort}"
        assert same(kind, field=field, how=how, **more) == expected, (field, how, more)
        if words:
            assert said(kind, field=field, how=how, **more) == words
        nobody_yet = who(kind, at=BEFORE, field=field, how=how, **more)
        assert nobody_yet == (set(answered) if how in ("blank", "isnt") else set()), (field, how)
    assert told("Ana", "crm.own_number", field="size", how="given") == "Size: 40.5"
    assert told("Ana", "crm.own_date", field="birthday", how="given") == "Birthday: 4 March 1990"
    assert told("Boris", "crm.own_flag", field="member", how="yes") == "Member: no"
    assert told("Chen", "crm.own_choice", field="mood", how="given") == "Mood: no answer"


def test_the_smallest_change_of_a_number(answered):
    condition = rules.conditions.get("crm.own_number")
    least = condition.read({"field": "size", "how": "least", "number": "42"})
    assert condition.change(least, "40.5", wanted=True) == "Size higher by 1.5"
    most = condition.read({"field": "size", "how": "most", "number": "40"})
    assert condition.change(most, "40.5", wanted=True) == "Size lower by 0.5"
    assert condition.change(most, "", wanted=True) == ""


def test_a_number_field_is_not_fooled_by_other_answers_under_its_key(answered):
    write(answered["Chen"], fields={"size": True})
    write(answered["Boris"], fields={"size": "99"})
    assert same("crm.own_number", field="size", how="least", number="1") == {"Ana"}


@pytest.mark.parametrize(
    "kind, params",
    [
        ("crm.own_number", {"field": "size", "how": "least"}),
        ("crm.own_number", {"field": "size", "how": "between", "number": "5", "upto": "4"}),
        ("crm.own_text", {"field": "hobby", "how": "contains", "words": " , "}),
        ("crm.own_choice", {"field": "mood", "how": "is", "answers": "Stormy"}),
        ("crm.own_date", {"field": "birthday", "how": "before"}),
        ("crm.own_date", {"field": "birthday", "how": "last"}),
        ("crm.own_text", {"field": "size", "how": "blank"}),
        ("crm.own_text", {"field": "gone", "how": "blank"}),
    ],
)
def test_what_lacks_a_value_or_names_no_field_of_the_type_is_broken(answered, kind, params):
    assert rules.problems(asked(kind, **params))
    assert who(kind, **params) == set()


def test_a_deleted_field_breaks_its_conditions_and_means_nobody_even_under_none(answered):
    document = {"none": [{"kind": "crm.own_flag", "params": {"field": "member", "how": "yes"}}]}
    assert not rules.problems(document)
    OwnField.objects.get(key="member").delete()
    assert rules.problems(document)
    assert not Contact.objects.filter(rules.compile(document, NOW)).exists()


def test_menus_offer_what_is_there_and_keep_what_was_chosen(people):
    form = rules.conditions.get("crm.country").form({"countries": ["DE", "JP"]})
    shown = str(form["countries"])
    assert 'value="AT"' in shown and "Austria (AT)" in shown
    assert '<option value="JP" selected>Japan (JP)' in shown and '<option value="DE" selected>' in shown
    assert 'value="fair"' in str(rules.conditions.get("crm.source").form()["sources"])
