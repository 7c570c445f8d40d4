"""Every condition there is, asked in every way, in a shop in which much happens: what is kept up besides the
history means the same people, and nobody changes sides unseen.
"""

import pytest
from django import forms
from django.db import transaction

from crm.audience.segmentation import NOW, members
from crm.kernel import rules
from crm.kernel.rules.compiling import verdict
from crm.people import stirring
from tests.asking import filled
from tests.crm.world import BEGIN, World

EVERYBODY = {"none": [{"kind": "crm.name", "params": {"contains": "nobody is called so"}}]}
pytestmark = pytest.mark.django_db(transaction=True)


def variants(condition, most):
    """The condition filled in several ways: each choice once, numbers small and large, times left open."""
    fields = condition.Params().fields
    numbers = [name for name, field in fields.items() if isinstance(field, forms.IntegerField)]
    found = [filled(condition), filled(condition, "Shoes"), filled(condition, "h1")]
    found += [filled(condition, **dict.fromkeys(numbers, str(number))) for number in (1, 2, 30)]
    for name, field in fields.items():
        if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.MultipleChoiceField):
            values = [
                str(value) for value, label in field.choices if value and not isinstance(label, list | tuple)
            ]
            found += [
                filled(condition, **{name: value}, **dict.fromkeys(numbers, "2")) for value in values[:6]
            ]
    different = {str(sorted(params.items(), key=str)): params for params in found}
    rules_made = [{"all": [{"kind": condition.key, "params": params}]} for params in different.values()]
    return [rule for rule in rules_made if not rules.problems(rule, frozenset())][:most]


def meant_by(documents, at, scope):
    """Of each rule, whom it means: forty rules a question."""
    found = {}
    for place in range(0, len(documents), 40):
        part = documents[place : place + 40]
        verdicts = {f"v{number}": verdict(rules.compile(rule, at, scope)) for number, rule in enumerate(part)}
        rows = list(members(EVERYBODY, at).annotate(**verdicts).values("pk", *verdicts))
        for number, rule in enumerate(part):
            found[str(rule)] = frozenset(row["pk"] for row in rows if row[f"v{number}"])
    return found


def seen_to_change(documents, mark, then, at):
    """Of each rule that can tell: who is asked again."""
    stirred = set(stirring.stirred_since(mark).values_list("contact_id", flat=True))
    found = {}
    for rule in documents:
        turned = rules.drift(rule, then, at, NOW)
        if turned is not None:
            found[str(rule)] = stirred.union(*({pk for row in query for pk in _row(row)} for query in turned))
    return found


def _row(row):
    return row.values() if isinstance(row, dict) else [row] if not isinstance(row, tuple) else row


@pytest.mark.parametrize(
    "most", [pytest.param(1, marks=pytest.mark.proof), pytest.param(12, marks=pytest.mark.chaos)]
)
def test_all_conditions_at_every_step_of_a_year(most):
    world = World()
    with transaction.atomic():
        world.begin()
    kinds = [condition for condition in rules.conditions if not condition.needs]
    documents = [rule for condition in kinds for rule in variants(condition, most)]
    before, mark, then = {}, 0, BEGIN
    differ, unseen, asked = set(), set(), set()
    for at, act in world.steps():
        with transaction.atomic():
            act(at)
        new_mark = stirring.mark()
        now, history = meant_by(documents, at, NOW), meant_by(documents, at, rules.Scope())
        differ |= {f"{at}: {rule}" for rule in now if now[rule] != history[rule]}
        for rule, seen in seen_to_change(documents, mark, then, at).items():
            asked.add(rule)
            if (now[rule] ^ before.get(rule, now[rule])) - seen:
                unseen.add(f"{at}: {rule}")
        before, mark, then = now, new_mark, at
    assert not differ, "current and history differ: " + "; ".join(sorted(differ)[:20])
    assert not unseen, "changed sides unseen: " + "; ".join(sorted(unseen)[:20])
    assert len(asked) > 40
