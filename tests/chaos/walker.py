"""A process that moves people on through flows, again and again, until it is killed."""

import time

import django

django.setup()

from campaigns.flows import journeys  # noqa: E402 - settings first
from crm.kernel import clock  # noqa: E402
from crm.kernel.work import Budget  # noqa: E402

if __name__ == "__main__":
    while True:
        journeys.advance(clock.now(), Budget(5))
        time.sleep(0.05)
