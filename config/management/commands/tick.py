"""Run scheduled jobs by hand, once each, without Celery; without a name, list them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import autodiscover_modules

from crm.kernel import clock
from crm.ticking import run_tick, ticks


class Command(BaseCommand):
    help = "Run scheduled jobs once, by name; without one, list them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        autodiscover_modules("tasks")
        if not options["name"]:
            for name, job in sorted(ticks.items()):
                self.stdout.write(f"{name}  every {job.every} s  {job.label}")
        for name in options["name"]:
            if name not in ticks:
                raise CommandError(f"There is no job called {name}.")
            self.stdout.write(f"{name}: {run_tick(name, clock.now())}")
