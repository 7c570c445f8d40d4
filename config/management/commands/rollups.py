"""Count anew what is kept up with events and orders, after a repair by hand, or check it."""

from datetime import date
from math import inf
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.kernel.work import Budget
from crm.shop import bought
from tracking.visits import rollups


class Command(BaseCommand):
    help = "Daily counts, visits, what was bought: make them anew from all events and orders, or check them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        rebuild = actions.add_parser("rebuild", help="count anew, month by month")
        rebuild.add_argument("--since", type=date.fromisoformat, help="from the month of this day on")
        actions.add_parser("check", help="count everything anew beside what is kept, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "check":
            self._check()
            return
        for month in rollups.months(options["since"]):
            rollups.make(month)
            self.stdout.write(f"{month:%B %Y} is counted.")
        people = bought.count_anew(Budget(inf))
        self.stdout.write(f"What {people} people bought is counted.")

    def _check(self) -> None:
        found = rollups.differences() | {"rows of goods bought": bought.differences()}
        if any(found.values()):
            differ = ", ".join(f"{number} {name}" for name, number in found.items() if number)
            raise CommandError(f"Not as it should be: {differ}. `manage.py rollups rebuild` counts anew.")
        self.stdout.write(
            "Every count, every visit and every row of goods bought is as the events and orders say."
        )
