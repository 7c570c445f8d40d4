"""The role of the application's processes: made where that is allowed, missed with a notice elsewhere."""

import pytest
from django.db import connection

from crm import application_role, seed
from crm.models import Purpose, ShopSettings


@pytest.mark.django_db
def test_making_it_twice_is_harmless_and_its_rights_stay_narrow(capsys):
    application_role.ensure("default")
    assert capsys.readouterr().err == ""
    with connection.cursor() as cursor:
        for table in application_role.APPEND_ONLY:
            cursor.execute(
                "SELECT has_table_privilege(%s, %s, 'INSERT'),"
                " has_table_privilege(%s, %s, 'UPDATE, DELETE, TRUNCATE')",
                [application_role.ROLE, table, application_role.ROLE, table],
            )
            assert cursor.fetchone() == (True, False)


@pytest.mark.django_db
def test_its_programs_may_tell_the_planner_what_they_brought_in():
    if connection.pg_version < 170_000:
        pytest.skip("before PostgreSQL 17 only its owner analyses a table")
    # Whom the server does not let is only warned.
    warnings: list[str] = []
    with connection.cursor() as cursor:
        cursor.connection.add_notice_handler(lambda told: warnings.append(told.message_primary))
        cursor.execute("SET LOCAL ROLE rekindle_app")
        cursor.execute("ANALYZE crm_lead, crm_stagemove, crm_scorechange, crm_importrow")
        cursor.execute("RESET ROLE")
    assert warnings == []


@pytest.mark.django_db
def test_a_database_user_who_may_not_make_it_is_told_and_goes_on(capsys):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE nobody_special NOLOGIN")
        cursor.execute("SET LOCAL ROLE nobody_special")
        application_role.ensure("default")
        cursor.execute("RESET ROLE")
    assert "NOTICE: the role rekindle_app was not set up" in capsys.readouterr().err


@pytest.mark.django_db
def test_what_a_user_changed_is_not_planted_over():
    Purpose.objects.filter(key="newsletter").update(name="Letters", is_active=False)
    key = ShopSettings.objects.get().ingest_key
    seed.plant()
    assert Purpose.objects.get(key="newsletter").name == "Letters"
    assert ShopSettings.objects.get().ingest_key == key and key.startswith("pk_")
    assert Purpose.objects.count() == len(seed.PURPOSES) == 11
