"""After a test that commits, the next one finds the database as it was from the start."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from campaigns.models import FrequencySettings
from crm.models import Contact, Purpose
from tests import databases


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_what_was_written_is_gone_and_what_was_changed_or_deleted_is_back():
    before = everything()
    Contact.objects.bulk_create([Contact(first_name="x" * 100) for _ in range(9_000)])
    FrequencySettings.objects.update(control_percent=9)
    Permission.objects.first().delete()
    Purpose.objects.create(key="other", name="Other")
    assert everything() != before
    databases.renew()
    assert everything() == before


def everything() -> dict[str, list[tuple]]:
    """All rows of all tables."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM public."{table}"')
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found
