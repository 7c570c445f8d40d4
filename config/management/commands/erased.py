"""`manage.py erased`: after a backup was brought back, erase again whoever was erased since it was made."""

from django.core.management.base import BaseCommand

from crm.kernel import clock
from crm.people import erased, erasing


class Command(BaseCommand):
    help = "Erase again whom a backup brought back, by the list kept beside the database."

    def handle(self, *args: object, **options: object) -> None:
        people = erased.again()
        for contact_id in people:
            erasing.erase(contact_id, clock.now(), by="manage.py erased", reference="Back by a backup")
        self.stdout.write(f"{len(people)} people erased again." if people else "Nobody to erase again.")
