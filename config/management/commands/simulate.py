"""Replay a shop's recorded clickstream through the public doors, and check what arrives against a plain
count.
"""

from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from config.simulate import stage


class Command(BaseCommand):
    help = (
        "Replay recorded clickstream (user,item,category,pv|fav|cart|buy,Unix seconds; no header) through "
        "collector and API with the clock moved, in a database of its own, sending into a local SMTP sink."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", choices=["taobao"])
        parser.add_argument("file", type=Path)
        parser.add_argument("--limit-users", type=int, help="only the first so many people of the file")
        parser.add_argument("--keep", action="store_true", help="keep the replay's database")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        began = monotonic()
        before = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            report = stage.run(options["file"], options["limit_users"], self._progress(began))
        finally:
            if not options["keep"]:
                connection.creation.destroy_test_db(before, verbosity=0)
        for line in report.lines():
            self.stdout.write(line)
        self.stdout.write(f"{monotonic() - began:.0f} seconds")
        if not report.is_equal:
            raise CommandError("The replay differs from the independent count.")

    def _progress(self, began: float) -> Any:
        shown = None

        def show(at: datetime, place: int) -> None:
            nonlocal shown
            if at.date() != shown:
                shown = at.date()
                self.stderr.write(f"{shown}  {place:,} acts told, {monotonic() - began:.0f} s")

        return show
