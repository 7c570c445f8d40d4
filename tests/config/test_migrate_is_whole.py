"""A start that is killed between a migration and the note of it finds neither of them at the next start."""

import pytest
from django.core.management import get_commands
from django.db import connection, migrations, models

from config.management.commands.migrate import WholeExecutor

pytestmark = pytest.mark.django_db(transaction=True)


class Two(migrations.Migration):
    """Two tables, one with a foreign key: its constraint comes last, as that of nearly all tables."""

    operations = [
        migrations.CreateModel("Hearth", [("id", models.AutoField(primary_key=True))]),
        migrations.CreateModel(
            "Horn",
            [
                ("id", models.AutoField(primary_key=True)),
                ("hearth", models.ForeignKey("rehearsal.Hearth", models.CASCADE)),
            ],
        ),
    ]


class Killed(BaseException):
    pass


def tables():
    return {name for name in connection.introspection.table_names() if name.startswith("rehearsal_h")}


@pytest.fixture
def executor():
    made = WholeExecutor(connection)
    yield made
    if tables():
        made.unapply_migration(made.loader.project_state(), Two("0001_two", "rehearsal"))
    assert not tables()


def test_killed_before_the_note_a_migration_leaves_no_table(executor, monkeypatch):
    def killed(*args):
        assert tables() == {"rehearsal_hearth", "rehearsal_horn"}
        raise Killed

    two = Two("0001_two", "rehearsal")
    with monkeypatch.context() as dying:
        dying.setattr(executor.recorder, "record_applied", killed)
        with pytest.raises(Killed):
            executor.apply_migration(executor.loader.project_state(), two)
    assert not tables()
    executor.apply_migration(executor.loader.project_state(), two)
    assert tables() and ("rehearsal", "0001_two") in executor.recorder.applied_migrations()


def test_this_is_how_migrate_does_it():
    assert get_commands()["migrate"] == "config"
