"""Whoever tells of a person, and however often, one person stays one person."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.models import Contact, ContactChange, ContactPoint, Engagement, OutsideId
from crm.people import identity
from crm.people.identity import Known, resolve

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.django_db
def test_one_spelling_of_an_address_is_one_person():
    ids = resolve([Known(email=" Ana@Example.COM"), Known(email="ana@example.com")], NOW, source="shop")
    assert ids[0] == ids[1]
    contact = Contact.objects.get()
    assert (contact.email, contact.source) == ("ana@example.com", "shop")
    assert ContactPoint.objects.get().is_primary
    assert Engagement.objects.get().contact_id == contact.pk


@pytest.mark.django_db
def test_a_name_is_filled_in_once_and_never_overwritten():
    resolve([Known(email="ana@example.com")], NOW, source="shop")
    resolve(
        [Known(email="ana@example.com", first_name="Ana", country="de", time_zone="Europe/Berlin")],
        NOW,
        source="a",
    )
    resolve(
        [Known(email="ana@example.com", first_name="Eve", country="FR", time_zone="Nowhere")], NOW, source="b"
    )
    contact = Contact.objects.get()
    assert (contact.first_name, contact.country, contact.time_zone) == ("Ana", "DE", "Europe/Berlin")
    assert set(ContactChange.objects.values_list("field", "new")) == {
        ("country", "DE"),
        ("time_zone", "Europe/Berlin"),
    }


@pytest.mark.django_db
def test_an_outside_id_remembers_who_it_was():
    first = resolve([Known(external_id="c1")], NOW, source="shop")
    second = resolve([Known(external_id="c1", email="ana@example.com")], NOW, source="shop")
    third = resolve([Known(email="ana@example.com")], NOW, source="script")
    assert first == second == third
    assert Contact.objects.get().email == "ana@example.com"
    assert resolve([Known(external_id="c1")], NOW, source="elsewhere") != first


@pytest.mark.django_db
def test_a_second_address_does_not_become_the_one_we_write_to():
    resolve([Known(external_id="c1", email="ana@example.com")], NOW, source="shop")
    resolve([Known(external_id="c1", email="ana@work.example")], NOW, source="shop")
    assert Contact.objects.get().email == "ana@example.com"
    points = dict(ContactPoint.objects.values_list("address", "is_primary"))
    assert points == {"ana@example.com": True, "ana@work.example": False}
    chosen = identity.primary_points(Contact.objects.values_list("pk", flat=True))
    assert [point.address for point in chosen.values()] == ["ana@example.com"]


@pytest.mark.django_db
def test_what_names_nobody_is_refused_and_a_bad_address_beside_an_id_is_not():
    with pytest.raises(identity.Unknowable):
        resolve([Known(email="not an address")], NOW, source="shop")
    resolve([Known(email="not an address", external_id="c" * 500)], NOW, source="shop")
    assert len(OutsideId.objects.get().external_id) == 200


@pytest.mark.django_db
def test_an_address_hashed_under_an_older_key_is_found(settings):
    first = resolve([Known(email="ana@example.com")], NOW, source="shop")
    keys = dict(settings.REKINDLE_ADDRESS_KEYS)
    settings.REKINDLE_ADDRESS_KEYS = keys | {max(keys) + 1: b"k" * 32}
    assert resolve([Known(email="ana@example.com")], NOW, source="shop") == first


@pytest.mark.django_db
def test_a_batch_costs_the_same_number_of_queries_whatever_its_size():
    def queries(count: int, offset: int) -> int:
        batch = [
            Known(email=f"p{n}@example.com", external_id=f"c{n}", phone=f"+3161{n:07}", first_name="P")
            for n in range(offset, offset + count)
        ]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            resolve(batch, NOW, source="shop")
        return len(captured)

    assert queries(3, 0) == queries(300, 1000) <= 13
    assert queries(3, 0) == queries(300, 1000) <= 7


handles = st.fixed_dictionaries(
    {
        "email": st.sampled_from(
            ["", "a@example.com", "B@example.com", "b@example.com", "c@example.com", "broken"]
        ),
        "phone": st.sampled_from(["", "+31612345678", "+31612345679"]),
        "external_id": st.sampled_from(["", "1", "2", "3"]),
        "first_name": st.sampled_from(["", "Ana", "Boris"]),
    }
)


class Resolving(TestCase):
    @pytest.mark.proof
    @settings(max_examples=60)
    @given(st.lists(handles.map(lambda kept: Known(**kept)).filter(identity.is_knowable), max_size=8))
    def test_is_idempotent_and_one_batch_equals_one_by_one(self, batch):
        together = resolve(batch, NOW, source="shop")
        before = sorted(Contact.objects.values_list("pk", "email", "phone", "first_name"))
        again = resolve(batch, NOW + timedelta(days=1), source="shop")
        singly = [resolve([known], NOW, source="shop")[0] for known in batch]
        assert together == again == singly
        assert sorted(Contact.objects.values_list("pk", "email", "phone", "first_name")) == before
        assert ContactPoint.objects.filter(is_primary=True).count() == sum(
            bool(email) + bool(phone) for _, email, phone, _ in before
        )
        assert Contact.objects.count() == Engagement.objects.count()
