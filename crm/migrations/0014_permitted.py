import django.contrib.postgres.fields
from django.db import migrations, models

HELP = (
    "Channel and purpose, such as email:1, where consent stands for their first address and nothing stops it."
    " Null: not read yet."
)
TEXTS = {"base_field": models.CharField(max_length=24), "null": True, "size": None, "help_text": HELP}

# People of before are read in the background: their rows say nothing yet. Each of them has one.
EVERYBODY = """
INSERT INTO crm_engagement (id, contact_id, order_count, spent, may_receive)
SELECT (substr(encode(int8send(floor(extract(epoch FROM c.created_at) * 1000)::bigint), 'hex'), 5, 12) || '7'
    || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid, c.id, 0, 0, NULL
FROM crm_contact AS c
ON CONFLICT (contact_id) DO NOTHING
"""


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0013_statuses'),
    ]

    operations = [
        migrations.AddField(
            model_name='engagement',
            name='may_receive',
            field=django.contrib.postgres.fields.ArrayField(**TEXTS),
        ),
        migrations.AlterField(
            model_name='engagement',
            name='may_receive',
            field=django.contrib.postgres.fields.ArrayField(**TEXTS, default=list, db_default=[]),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['id'], name='contact_merged'),
        ),
        migrations.AddIndex(
            model_name='engagement',
            index=models.Index(condition=models.Q(('may_receive__isnull', True)), fields=['contact'], name='engagement_unread'),
        ),
        migrations.RunSQL(EVERYBODY, migrations.RunSQL.noop),
    ]
