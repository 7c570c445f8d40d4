"""Django's own *migrate*, which notes each migration in the transaction that makes it.

Django makes the tables and, where constraints come last, writes its note of them in a transaction after. A
start killed between the two would find, at the next start, tables that nobody has a note of.
"""

from typing import Any

from django.core.management.commands import migrate
from django.db import transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class WholeExecutor(MigrationExecutor):
    """A migration and the note of it, both or neither."""

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        if not migration.atomic:
            return super().apply_migration(state, migration, fake, fake_initial)
        with transaction.atomic(using=self.connection.alias):
            return super().apply_migration(state, migration, fake, fake_initial)

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        if not migration.atomic:
            return super().unapply_migration(state, migration, fake)
        with transaction.atomic(using=self.connection.alias):
            return super().unapply_migration(state, migration, fake)


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        # The command looks its executor up there, and offers no other way to choose one.
        migrate.MigrationExecutor = WholeExecutor  # type: ignore[attr-defined]
        super().handle(*args, **options)
