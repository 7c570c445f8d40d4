"""What the new columns say of rows that were there before: each segment's schedule, each person's first order."""

from django.db import migrations

_PERIODS = ((1440, "days"), (60, "hours"), (1, "minutes"))


def keep_schedules(apps, schema_editor):
    Segment = apps.get_model("crm", "Segment")
    Interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, refresh_minutes FROM crm_segment WHERE interval_id IS NULL")
        told = cursor.fetchall()
    for pk, minutes in told:
        length, period = next((size, name) for size, name in _PERIODS if minutes % size == 0)
        interval = Interval.objects.filter(every=max(minutes // length, 1), period=period).first()
        interval = interval or Interval.objects.create(every=max(minutes // length, 1), period=period)
        Segment.objects.filter(pk=pk).update(interval=interval)


FIRST_ORDERS = """
    UPDATE crm_engagement AS e SET first_order_at = o.first_at
    FROM (SELECT contact_id, min(occurred_at) AS first_at FROM crm_order WHERE status <> 'cancelled' GROUP BY 1) AS o
    WHERE o.contact_id = e.contact_id AND e.first_order_at IS DISTINCT FROM o.first_at
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_who"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [
        migrations.RunPython(keep_schedules, migrations.RunPython.noop),
        migrations.RunSQL(FIRST_ORDERS, migrations.RunSQL.noop),
    ]
