"""The fencing tokens, and the trigger that lets a delivery take only the edges there are.

Deliveries are updated several times each, and every update writes every index: the foreign keys that no page
asks for lose theirs.
"""

import django.db.models.deletion
from django.db import migrations, models

from campaigns.migrations import _edges


def unindexed(name: str, to: str, *, null: bool = False) -> migrations.AlterField:
    return migrations.AlterField(
        model_name="delivery",
        name=name,
        field=models.ForeignKey(
            to=to, null=null, on_delete=django.db.models.deletion.PROTECT, related_name="+", db_index=False
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]

    operations = [
        migrations.RunSQL(_edges.FORWARD, _edges.BACKWARD),
        unindexed("purpose", "crm.purpose"),
        unindexed("sender", "campaigns.sender"),
        unindexed("template", "campaigns.template"),
        unindexed("template_version", "campaigns.templateversion", null=True),
    ]
