"""`manage.py scale check`: whether the schema could be spread over several servers."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import scaling


class Command(BaseCommand):
    help = "Hold every table to how its model says it spreads; changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["check"])

    def handle(self, *args: object, act: str, verbosity: int, **options: object) -> None:
        tables = scaling.tables()
        if verbosity > 1:
            for table in sorted(tables, key=lambda table: (table.scale, table.name)):
                self.stdout.write(f"{table.scale:<12} {table.name} {table.column}".rstrip())
        keys = scaling.foreign_keys()
        self.stdout.write(
            f"{len(keys)} foreign keys between tables that spread: widened by the contact, or dropped."
        )
        for key in keys:
            self.stdout.write(f"  {key.table} → {key.target} ({key.name})")
        problems = scaling.problems()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} problems.")
        self.stdout.write(f"All {len(tables)} tables could be spread as their models say.")
