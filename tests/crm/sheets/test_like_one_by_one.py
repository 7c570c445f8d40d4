"""The import of people is `identity.resolve` for a whole file: the same people, addresses and answers come of
it as of telling the rows one after the other.
"""

from __future__ import annotations

from random import Random  # noqa: TID251 - seeded

import pytest

from crm.kernel.work import Budget
from crm.models import Contact, ContactPoint, Engagement, OutsideId
from crm.people import identity
from crm.sheets.importing import running
from tests.crm.sheets.bringing import brought, sheet, undone
from tests.office import NOW

HEADER = ["email", "external_id", "phone", "first_name", "last_name", "country"]


def rows(random: Random, number: int, people: int) -> list[list[str]]:
    """Rows that share addresses, numbers and outside ids in every way there is."""

    def one(kind: str) -> str:
        return f"{kind}{random.randrange(people)}"

    found = []
    for _ in range(number):
        row = [
            f"{one('p')}@shop-customers.example" if random.random() < 0.6 else "",
            one("id") if random.random() < 0.5 else "",
            f"+4930901{random.randrange(people):03}" if random.random() < 0.4 else "",
            random.choice(["", "Ana", "Bo", "Çelik"]),
            random.choice(["", "One", "Two"]),
            random.choice(["", "DE", "PT"]),
        ]
        if any(row[:3]):
            found.append(row)
    return found


def told_one_by_one(file: list[list[str]]) -> None:
    for email, outside, phone, first, last, country in file:
        known = identity.Known(email, phone, outside, "", first, last, country=country)
        identity.resolve([known], NOW, source="import")


def everybody():
    """People without their keys: what they are, and by what they are known."""
    found = []
    for contact in Contact.objects.all():
        points = ContactPoint.objects.filter(contact=contact).values_list("channel", "address", "is_primary")
        ids = OutsideId.objects.filter(contact_id=contact.pk).values_list("source", "external_id")
        names = contact.first_name, contact.last_name, contact.country, contact.email, contact.phone
        found.append((names, sorted(points), sorted(ids)))
    assert Engagement.objects.filter(stirred__gt=0).count() == len(found)
    return sorted(found, key=repr)


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("seed, batch", [(1, 5000), (2, 7), (3, 1), (4, 3)])
def test_a_file_makes_the_same_people_as_its_rows_one_after_the_other(seed, batch, monkeypatch):
    random = Random(seed)
    first, second = rows(random, 12, 14), rows(random, 40, 20)
    told_one_by_one(first)
    told_one_by_one(second)
    expected = everybody()
    Contact.objects.all().delete()
    OutsideId.objects.all().delete()

    monkeypatch.setattr(running, "BATCH", batch)
    told_one_by_one(first)
    before = everybody()
    run = brought(sheet(HEADER, *second))
    assert run.refused == 0
    assert everybody() == expected
    assert brought(sheet(HEADER, *second)).updated == 0
    undone(run)
    assert everybody() == before


@pytest.mark.django_db
def test_whoever_becomes_known_between_the_check_and_the_import_is_found_then():
    from tests.crm.sheets.bringing import checked

    run = checked(sheet(HEADER, ["new@shop-customers.example", "", "", "Nora", "New", "DE"]))
    assert run.new == 1
    identity.resolve([identity.Known("new@shop-customers.example")], NOW, source="form")
    from crm.sheets.importing import acts

    acts.begin(run, NOW)
    running.keep_up(NOW, Budget(60))
    assert Contact.objects.get().first_name == "Nora"
    run.refresh_from_db()
    assert (run.made, run.updated) == (0, 1)
