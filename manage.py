#!/usr/bin/env python
"""Django's command line. Local servers are borrowed for the time of a command when no URLs are given."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.embedded import services

    with services.borrowed_for(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
