"""The schema could be spread from the first migration on, and the check sees what would stop that."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config import scaling


def change(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.django_db
def test_every_table_keeps_what_its_model_promises():
    assert scaling.problems() == []
    out = StringIO()
    call_command("scale", "check", stdout=out, verbosity=2)
    assert "All " in out.getvalue()
    assert "by_contact   crm_order contact_id" in out.getvalue()
    assert "crm_orderline → crm_order" in out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE crm_contact ADD CONSTRAINT one_email UNIQUE (email)", "one_email lacks id"),
        (
            "CREATE UNIQUE INDEX one_number ON crm_order (number) WHERE number <> ''",
            "one_number lacks contact_id",
        ),
        ("ALTER TABLE crm_order ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY", "column n is numbered"),
        ("ALTER TABLE tracking_cart ADD COLUMN n bigserial", "column n is numbered"),
        (
            "ALTER TABLE crm_order ALTER COLUMN contact_id DROP NOT NULL",
            "contact_id it spreads by may be empty",
        ),
        (
            "ALTER TABLE crm_contactpoint ADD CONSTRAINT one_address UNIQUE (address)",
            "one_address lacks address_hash",
        ),
        (
            "CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            " CREATE TRIGGER watch BEFORE UPDATE ON crm_consentevent FOR EACH ROW EXECUTE FUNCTION noop()",
            "trigger watch",
        ),
        ("ALTER TABLE crm_suppression DROP CONSTRAINT crm_suppression_pkey", "no primary key"),
    ],
)
def test_what_would_stop_it_is_named(statement, words):
    change(statement)
    assert len(scaling.problems()) == 1
    assert words in scaling.problems()[0]
    with pytest.raises(CommandError, match="1 problems"):
        call_command("scale", "check", stdout=StringIO(), stderr=StringIO())


@pytest.mark.django_db
def test_local_tables_may_have_triggers_and_numbers():
    change(
        "CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER watch BEFORE UPDATE ON campaigns_delivery FOR EACH ROW EXECUTE FUNCTION noop()"
    )
    assert scaling.problems() == []
