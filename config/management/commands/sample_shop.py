"""Load the sample shop (its year, catalogue, settings and running flow), or remove all of it."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from campaigns.messages import recommending
from config.embedded.sample.history import PEOPLE
from config.sample import audience, desk, flow, gifts, letters, plans, removal, shop, year
from crm.audience import standing_history
from crm.kernel import clock
from crm.models import Contact
from tracking.visits.activity import SIGNS_OF_LIFE

BAR = 30


class Command(BaseCommand):
    help = "Load the sample shop, or remove everything it brought."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", nargs="?", choices=["load", "remove"], default="load")
        parser.add_argument("--people", type=int, default=PEOPLE, help=f"How many customers ({PEOPLE}).")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        if options["action"] == "remove":
            self.remove()
        else:
            self.load(options["people"])

    def load(self, people: int) -> None:
        now = clock.now()
        if Contact.objects.filter(source=year.SOURCE).exists():
            self.stdout.write("The sample shop is loaded already.")
            return
        try:
            with transaction.atomic():
                shop.open_shop(now)
                sender = shop.hire(now)
                counts = year.load(shop.stock_shelves(now), now, self.progress, people=people)
                carts = flow.start(sender, now)
                letters.write(sender, now)
                standing_history.rebuild(now, SIGNS_OF_LIFE)
                audience.as_seen(now)
                gifts.give(now)
                audience.meet(now)
                plans.plan(sender, carts, now)
                desk.open_desk(audience.define(now), now)
                recommending.compute(now)
        except shop.NotOurs as error:
            raise CommandError(str(error)) from error
        self.stdout.write("")
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if name in TOLD)
        self.stdout.write(f"Sample shop loaded in {self.seconds:.1f} s: {told}.")

    def remove(self) -> None:
        removed = removal.remove()
        rows = sum(removed.values())
        if not rows:
            self.stdout.write("There is no sample shop here.")
            return
        people = removed.get("contacts", 0)
        self.stdout.write(f"Sample shop removed in {self.seconds:.1f} s: {people:,} people, {rows:,} rows.")

    def progress(self, done: int, of: int) -> None:
        bar = "#" * (BAR * done // of)
        self.stdout.write(f"\rLoading the sample shop  [{bar:<{BAR}}] {done:,} of {of:,} people", ending="")
        self.stdout.flush()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


TOLD = ("contacts", "orders", "carts", "events", "consent events")
