"""Write the reference pages anew, from what is registered."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from config.reference import pages, samples

FOLDER = Path("docs/reference")


class Command(BaseCommand):
    help = "Write docs/reference from the conditions, triggers and steps there are, in a database of its own."

    def handle(self, *args: Any, **options: Any) -> None:
        before = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            with samples.cast():
                written = pages.pages()
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)
        folder = settings.BASE_DIR / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8")
            self.stdout.write(f"{FOLDER / name}")
