"""The list of what people did is narrowed to one kind: an index beside the work, month by month."""

from django.db import migrations, models

PARTITIONS = """
SELECT part.inhrelid::regclass::text, EXISTS (
    SELECT FROM pg_inherits AS child JOIN pg_index AS i ON i.indexrelid = child.inhrelid
    WHERE child.inhparent = 'event_kind'::regclass AND i.indrelid = part.inhrelid
)
FROM pg_inherits AS part WHERE part.inhparent = 'tracking_event'::regclass ORDER BY 1
"""


def build(apps, schema_editor):
    """A partitioned table cannot be indexed beside the work as a whole, its months can. What is killed goes on
    where it was; months that begin meanwhile have the index from the start.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("CREATE INDEX IF NOT EXISTS event_kind ON ONLY tracking_event (kind, id DESC)")
        cursor.execute(PARTITIONS)
        for partition, is_built in cursor.fetchall():
            if is_built:
                continue
            index = f"{partition}_by_kind"
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
            cursor.execute(f"CREATE INDEX CONCURRENTLY {index} ON {partition} (kind, id DESC)")
            cursor.execute(f"ALTER INDEX event_kind ATTACH PARTITION {index}")


def drop(apps, schema_editor):
    schema_editor.execute("DROP INDEX event_kind")


class Migration(migrations.Migration):
    # An index that is built beside the work must not be inside a transaction.
    atomic = False

    dependencies = [
        ('tracking', '0006_landings'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddIndex(
                    model_name='event',
                    index=models.Index(fields=['kind', '-id'], name='event_kind'),
                ),
            ],
            database_operations=[
                migrations.RunPython(build, drop),
            ],
        ),
    ]
