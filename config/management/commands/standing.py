"""`manage.py standing rebuild`: the past year of who was active, cooling, at risk or lost, written anew."""

from django.core.management.base import BaseCommand, CommandParser

from crm.audience import standing_history
from crm.kernel import clock
from tracking.visits.activity import SIGNS_OF_LIFE


class Command(BaseCommand):
    help = (
        "Write everybody's standing, and the past year's moves and daily counts, anew from orders and visits:"
        " after history was loaded. Measured by today's rhythm and thresholds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["rebuild"])

    def handle(self, *args: object, act: str, **options: object) -> None:
        moves = standing_history.rebuild(clock.now(), SIGNS_OF_LIFE)
        self.stdout.write(f"{moves:,} moves of the past year written.")
