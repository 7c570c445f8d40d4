from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own, so that a full table can be written to while it is looked through."""

    dependencies = [
        ('campaigns', '0016_acts'),
    ]

    operations = [
        ValidateConstraint(model_name='delivery', name='a_message_has_a_sender'),
    ]
