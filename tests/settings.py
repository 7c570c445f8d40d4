"""Settings of a test run: the product's own, in a data folder apart, deaf to the environment around it."""

import os

from config.embedded import places
from tests import slots

for name in list(os.environ):
    if name.startswith("REKINDLE_") or name in (
        "DATABASE_URL",
        "BROKER_URL",
        "EMAIL_URL",
        "SECRET_KEY",
        "DEBUG",
    ):
        del os.environ[name]
os.environ["REKINDLE_ENV_FILE"] = ""
SLOT = slots.take(places.chosen(default=".test-var").home)
os.environ["REKINDLE_VAR"] = str(SLOT.home)

from config.settings import *  # noqa: E402, F403 - the environment had to be set first

WHITENOISE_AUTOREFRESH = True  # every client of a test would look through all static files otherwise
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests log in often
