from contextlib import ExitStack
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, User

from crm.kernel.rules import conditions
from tests.crm.kernel.rules.cast import KINDS, NOON


@pytest.fixture(autouse=True)
def known_conditions():
    with ExitStack() as stack:
        for kind in KINDS:
            stack.enter_context(conditions.temporarily(kind))
        yield


@pytest.fixture
def people(db):
    """Ana was seen yesterday and is in sales, Boris a month ago, Chen never; Dana today."""

    def person(name, seen_days_ago=None):
        seen_at = None if seen_days_ago is None else NOON - timedelta(days=seen_days_ago)
        return User.objects.create(username=name.lower(), first_name=name, last_login=seen_at)

    cast = SimpleNamespace(
        ana=person("Ana", 1), boris=person("Boris", 30), chen=person("Chen"), dana=person("Dana", 0)
    )
    cast.sales = Group.objects.create(name="sales")
    cast.ana.groups.add(cast.sales)
    return cast
