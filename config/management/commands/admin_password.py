"""Give an administrator a new generated password and print it once."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from config import administrators


class Command(BaseCommand):
    help = "Renew a person's password and print it; the old one stops working."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default=administrators.FIRST)

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["username"]
        try:
            password = administrators.renew(name)
        except get_user_model().DoesNotExist as error:
            raise CommandError(f"There is nobody called {name} here.") from error
        self.stdout.write(f"user {name}, password {password}")
