"""Count anew what is kept up with events: after a repair by hand, or to see that nothing needs one."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracking.visits import rollups


class Command(BaseCommand):
    help = "Daily counts and visits: make them anew from all events, or check them against these."

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

    def _check(self) -> None:
        found = rollups.differences()
        if any(found.values()):
            differ = ", ".join(f"{number} {name}" for name, number in found.items() if number)
            raise CommandError(f"Not as the events say: {differ}. `manage.py rollups rebuild` counts anew.")
        self.stdout.write("Every count and every visit is as the events say.")
