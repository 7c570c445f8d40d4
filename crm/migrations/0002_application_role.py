"""Once the role of the application's processes; it is seen to after every migrate now (crm/application_role.py)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = []
