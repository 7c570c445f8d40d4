"""`manage.py consent check | rebuild | verify`: what was said, and what the tables say of it."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.models import ConsentEvent
from crm.people import consent


class Command(BaseCommand):
    help = "Compare consent states and suppressions with the events they come from, or rebuild them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["check", "rebuild", "verify"])

    def handle(self, *args: object, act: str, **options: object) -> None:
        if act == "verify":
            return self._verify()
        found = consent.rebuild_states(repair=act == "rebuild")
        if found and act == "check":
            raise CommandError(
                f"{found} rows are not what their events add up to: run `manage.py consent rebuild`."
            )
        self.stdout.write(f"{found} rows put right." if found else "Everything is as its events say.")
        return None

    def _verify(self) -> None:
        heads = ConsentEvent.objects.filter(position=1).values_list("address_hash", flat=True)
        number = broken = 0
        for address in heads.iterator():
            number += 1
            for problem in consent.verify_chain(bytes(address)):
                broken += 1
                self.stderr.write(f"{bytes(address).hex()[:16]}…: {problem}")
        if broken:
            raise CommandError(f"{broken} problems in the chains of {number} addresses.")
        self.stdout.write(f"The chains of {number} addresses verify.")
