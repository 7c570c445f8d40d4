"""Leads are read in the order in which they came to be leads."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Nobody waits while the index is made.
    atomic = False

    dependencies = [
        ("crm", "0036_import_rows_in_place"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="lead",
            index=models.Index(
                fields=["became_at"], name="lead_newest", condition=models.Q(("ended_at__isnull", True))
            ),
        ),
    ]
