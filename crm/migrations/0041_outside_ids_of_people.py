"""What the outside calls a person is asked by the person, too: by webhooks, an undo, an erasure."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Nobody waits while the index is made.
    atomic = False

    dependencies = [
        ("crm", "0040_sight_of_people"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="outsideid",
            index=models.Index(fields=["contact_id"], name="outside_id_contact"),
        ),
    ]
