"""Bring the database up to date; on the first start load the sample shop and make the first administrator."""

import json
import os
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from config import administrators, shop_keys
from crm import application_role


class Command(BaseCommand):
    help = "Migrate; on the first start load the sample shop and make the first administrator."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--report", type=int, help="An open file to tell the supervisor the outcome.")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        self.stdout.write("Preparing the database ...", ending="")
        self.stdout.flush()
        call_command("migrate", verbosity=0, interactive=False)
        self.stdout.write(f" {time.monotonic() - began:.1f} s")
        if settings.ENVIRONMENT.sample and not get_user_model().objects.exists():
            # Both or neither: as long as there is no administrator, a first start was not finished.
            with transaction.atomic():
                administrators.ensure_first()
                call_command("sample_shop", "load")
        password = administrators.first_password()
        report = {
            "user": administrators.FIRST,
            "password": password,
            "role": usable_role(),
            "sample": shop_keys.for_the_sample(),
        }
        if options["report"]:
            with os.fdopen(options["report"], "w") as pipe:
                json.dump(report, pipe)
        elif password:
            self.stdout.write(f"Administrator {administrators.FIRST}, one-time password {password}")


def usable_role() -> str:
    """The application's role, which may not change append-only tables, if it exists and we may take it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(current_user, oid, 'MEMBER')",
            [application_role.ROLE],
        )
        return application_role.ROLE if cursor.fetchone() else ""
