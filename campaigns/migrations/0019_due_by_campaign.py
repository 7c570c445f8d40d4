"""Whoever is due is looked for campaign by campaign, the most urgent first."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # An index that is built beside the work must not be inside a transaction.
    atomic = False

    dependencies = [
        ('campaigns', '0018_frequency'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='due',
            index=models.Index(fields=['campaign', 'due_at', 'enrolment_id'], name='due_of_campaign'),
        ),
        migrations.AlterField(
            model_name='due',
            name='campaign',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign'),
        ),
        RemoveIndexConcurrently(
            model_name='due',
            name='due_next',
        ),
    ]
