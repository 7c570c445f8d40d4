from django.db import migrations

# Whoever arrived from a message has clicked in it: said of those who did before, too.
LANDED = """
UPDATE crm_engagement AS e SET last_click_at = GREATEST(e.last_click_at, landed.last_at)
FROM (
    SELECT contact_id, max(occurred_at) AS last_at FROM tracking_event
    WHERE kind = 'landing' AND ref IS NOT NULL AND actor IN ('human', 'likely_human')
    GROUP BY contact_id
) AS landed
WHERE e.contact_id = landed.contact_id AND landed.last_at > COALESCE(e.last_click_at, '-infinity')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0015_one_stay'),
        ('tracking', '0005_replies'),
    ]

    operations = [
        migrations.RunSQL(LANDED, migrations.RunSQL.noop),
    ]
