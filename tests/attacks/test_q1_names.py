"""Q1: no name and no value of a request becomes SQL, in a rule or in the sorting or filters of a list."""

from datetime import UTC, datetime
from functools import partial

import pytest
from django.contrib import admin
from django.urls import reverse

from crm.audience import segmentation
from crm.kernel import rules
from crm.models import Contact
from crm.people.identity import Known, resolve
from tests.asking import leaf
from tests.office import set_up_shop
from tests.timing import within

pytestmark = [pytest.mark.proof, pytest.mark.django_db]
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ENDS = ["", "'", '"', "')", '")', "'))", "`", "%27", "\\'", "''", "/*", "*/"]
ACTS = [
    " OR 1=1--",
    " OR pg_sleep(2) IS NOT NULL--",
    "; SELECT pg_sleep(2)--",
    " UNION SELECT password FROM auth_user--",
    "||(SELECT pg_sleep(2))||",
    " AND (SELECT count(*) FROM pg_class a, pg_class b, pg_class c)>0--",
    "%' OR '%'='",
    "}'::jsonb OR true--",
    "') OR EXISTS(SELECT 1 FROM crm_contact WHERE ('a'='a",
    "$1",
    "%s",
    "%(name)s",
    "{0}",
    "password__startswith",
    "fields__x' OR 1=1--",
    "user__password",
    "pk__in",
    "contact__owner__password__regex",
    "*",
    "\x00",
    "a\u0000b",
    "📦'--",
]
PAYLOADS = [end + act for act in ACTS for end in ENDS][:500]
COMPLAINTS = ("syntax error", "ProgrammingError", "DataError", "psycopg", "Traceback", 'near "')


@pytest.fixture
def people():
    set_up_shop()
    return resolve([Known(email=f"p{n}@example.com", first_name="Ana") for n in range(6)], NOW, source="shop")


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.chaos)])
def test_whatever_stands_in_a_rule_is_a_value(people, step):
    """Every condition with the payload in each of its texts, all at once; what it means is nobody or few."""
    kinds = [condition for condition in rules.conditions if not condition.needs]
    assert len(PAYLOADS) > 250
    for payload in PAYLOADS[::step]:
        readable = [
            part for part in (leaf(kind, payload) for kind in kinds) if not rules.problems({"all": [part]})
        ]
        nobody = {"all": [{"kind": "crm.name", "params": {"contains": "nobody is called so"}}]}
        document = {"all": [nobody, {"any": readable or [nobody]}]}
        meant = segmentation.members(document, NOW)
        assert within(1.5, meant.count) == 0, payload


@pytest.mark.parametrize("place", ["kind", "param", "group", "value"])
def test_names_in_a_rule_are_known_or_refused(people, place):
    for payload in PAYLOADS:
        part = {"kind": "crm.name", "params": {"contains": "Ana"}}
        document: dict = {"all": [part]}
        if place == "kind":
            part["kind"] = payload
        elif place == "param":
            part["params"] = {payload: "Ana"}
        elif place == "group":
            document = {payload: [part]}
        else:
            part["params"] = {"contains": {payload: payload}}
        assert rules.problems(document), payload
        assert segmentation.members(document, NOW).count() == 0


OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in ("crm", "tracking", "campaigns", "django_celery_beat")
]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_sorting_searching_and_filtering_a_list_take_names_from_a_list_of_names(ada, people, model):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    ada.get(url)  # the first page of a process reads its templates, which is no answer to a payload
    for number, payload in enumerate(PAYLOADS[::40]):
        queries = (
            {"o": payload},
            {"q": payload},
            {payload: "1"},
            {f"pk__{payload}": "1"},
            {"p": payload, "e": payload},
        )
        asked = queries[number % len(queries)]
        answer = within(1.5, partial(ada.get, url, asked, follow=True))
        assert answer.status_code in (200, 302, 400, 403, 404), payload
        text = answer.content.decode(errors="replace") if not answer.streaming else ""
        assert not [one for one in COMPLAINTS if one in text], payload


def test_the_people_are_all_still_there(people):
    assert Contact.objects.filter(pk__in=people).count() == 6
