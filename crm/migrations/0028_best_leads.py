"""The best leads of all stages together are read in their order."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Nobody waits while the index is made.
    atomic = False

    dependencies = [
        ('crm', '0027_finding'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='lead',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['-score', 'id'], name='lead_best'),
        ),
    ]
