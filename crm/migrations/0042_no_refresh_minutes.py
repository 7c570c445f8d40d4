"""Since segments have a schedule, nothing reads how many minutes lay between two refreshes."""

from django.db import migrations

# A database made at once never had it.
DROP = "ALTER TABLE crm_segment DROP COLUMN IF EXISTS refresh_minutes"
BACK = "ALTER TABLE crm_segment ADD COLUMN refresh_minutes integer NOT NULL DEFAULT 60 CHECK (refresh_minutes >= 0)"


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0041_outside_ids_of_people"),
    ]

    operations = [migrations.RunSQL(DROP, BACK)]
