"""Run everything on this machine with one command, until Ctrl-C."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.embedded.places import CLONE


class Command(BaseCommand):
    help = "Start servers, web, collector, worker, beat and the sample shop; stop all of them with Ctrl-C."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        # Becomes the supervisor, which does without Django and its memory.
        os.chdir(CLONE)
        os.execv(sys.executable, [sys.executable, "-m", "config.embedded.supervisor"])
