"""The rows of a file are written, judged and noted: room beside each for its next version."""

from django.db import migrations

# Of a page, two fifths are filled at first. For rows that come from now on; what is there stays as it is.
ROOM = "ALTER TABLE crm_importrow SET (fillfactor = 40)"
NO_ROOM = "ALTER TABLE crm_importrow RESET (fillfactor)"


class Migration(migrations.Migration):

    dependencies = [
        ("crm", "0035_erasures_to_note"),
    ]

    operations = [migrations.RunSQL(ROOM, NO_ROOM)]
