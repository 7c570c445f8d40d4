"""People are found by whatever somebody remembers of them, through indexes alone."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Company, Contact, OutsideId
from crm.people import addresses, finding
from tests import office


@pytest.fixture
def people(db) -> dict[str, Contact]:
    acme = Company.objects.create(name="Acme Lighting GmbH")
    ana = office.person("ana.oliveira@shop-customers.example", phone="+4915123456789", agreed=False)
    bo = office.person("bo@shop-customers.example", first_name="Bo", last_name="Silva-Anders", agreed=False)
    Contact.objects.filter(pk=bo.pk).update(company=acme)
    OutsideId.objects.create(source="shop", kind="customer", external_id="C-77", contact_id=bo.pk)
    addresses.set_primary(bo, "email", "bo.new@shop-customers.example", office.NOW)
    gone = Contact.objects.create(first_name="Ana", last_name="Merged", merged_into=ana)
    return {"ana": ana, "bo": bo, "gone": gone}


SAID = {
    "ana": "ana",
    "OLIV": "ana",
    "veir": "ana",
    "oliveira ana": "ana",
    "an oliv": "ana",
    "ana.oliv": "ana",
    "ana.oliveira@shop-customers.example": "ana",
    "0151 2345-6789": "ana",
    "+49 (151) 2345": "ana",
    "0049 151 23456": "ana",
    "6789": "ana",
    "nders": "bo",
    "acme": "bo",
    "light gmbh": "bo",
    "C-77": "bo",
    "bo@shop-customers.example": "bo",
    "bo": "bo",
}


def test_people_are_found_by_parts_of_what_is_known_of_them(people):
    for typed, name in SAID.items():
        assert [found.pk for found in finding.people(typed, 5)] == [people[name].pk], typed
    for nobody in ("", " ", "\0", "zz", "x" * 5000, "%", "_", "'; --", "ana % silva", "1", "12"):
        assert finding.people(nobody, 5) == [], nobody
    assert len(finding.people("shop-customers", 1)) == 1
    assert [found.name for found in finding.companies("lighting acme", 3)] == ["Acme Lighting GmbH"]


def test_whoever_begins_like_it_comes_first(people):
    inside = office.person("x@shop-customers.example", first_name="Joana", last_name="Reis", agreed=False)
    assert [found.pk for found in finding.people("ana", 5)] == [people["ana"].pk, inside.pk]


def test_finding_looks_into_indexes_in_a_fixed_number_of_queries(people):
    with CaptureQueriesContext(connection) as queries:
        finding.people("veira", 5)
    assert len(queries) <= 12
    plans = ""
    with connection.cursor() as cursor:
        # On a handful of rows walking any whole index is as good; a bitmap is only made of those that fit.
        for other in ("seqscan", "indexscan", "indexonlyscan"):
            cursor.execute(f"SET LOCAL enable_{other} = off")
        for way in finding._ways("veira", by_parts=True):
            sql, params = Contact.objects.filter(way).query.sql_with_params()
            cursor.execute(f"EXPLAIN {sql}", params)
            plans += "\n".join(row[0] for row in cursor.fetchall())
    for index in ("contact_last_prefix", "contact_first_prefix", "contact_mail_prefix", "contact_words"):
        assert f"Bitmap Index Scan on {index}" in plans
