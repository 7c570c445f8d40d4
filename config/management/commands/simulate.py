"""Replay what a shop recorded through the public doors, and check what arrives against a plain count."""

from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from config.simulate import stage
from config.simulate.plays import stage as all_plays

TAOBAO, RETAIL = "taobao", "retail"


class Command(BaseCommand):
    help = (
        "Replay a recorded clickstream (taobao: user,item,category,pv|fav|cart|buy,Unix seconds; no header) "
        "or invoices (retail: gzipped, the columns of UCI Online Retail) through collector and API with the "
        "clock moved, in a database of its own, sending into a local SMTP sink."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", choices=[TAOBAO, RETAIL])
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--all-plays",
            action="store_true",
            help="with every playbook on, judged by what must never be; always so with retail",
        )
        parser.add_argument("--limit-users", type=int, help="only the first so many people of the file")
        parser.add_argument(
            "--rest-days", type=int, default=15, help="with all plays: go on so long after the last act"
        )
        parser.add_argument("--keep", action="store_true", help="keep the replay's database")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        began = monotonic()
        before = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            if options["all_plays"] or options["format"] == RETAIL:
                is_well = self._all_plays(began, options)
            else:
                is_well = self._cart_play(began, options)
        finally:
            if not options["keep"]:
                connection.creation.destroy_test_db(before, verbosity=0)
        self.stdout.write(f"{monotonic() - began:.0f} seconds")
        if not is_well:
            raise CommandError("The replay differs from what was counted from outside.")

    def _cart_play(self, began: float, options: dict[str, Any]) -> bool:
        told = self._progress(began, "acts told")
        report = stage.run(options["file"], options["limit_users"], told)
        for line in report.lines():
            self.stdout.write(line)
        return report.is_equal

    def _all_plays(self, began: float, options: dict[str, Any]) -> bool:
        told = self._progress(began, "letters")
        outcome = all_plays.run(
            options["format"], options["file"], options["limit_users"], options["rest_days"], None, told
        )
        for line in outcome.lines():
            self.stdout.write(line)
        return outcome.is_well

    def _progress(self, began: float, what: str) -> Any:
        shown = None

        def show(at: datetime, number: int) -> None:
            nonlocal shown
            if at.date() != shown:
                shown = at.date()
                self.stderr.write(f"{shown}  {number:,} {what}, {monotonic() - began:.0f} s")

        return show
