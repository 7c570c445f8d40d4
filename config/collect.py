"""The collector's ASGI application: the public endpoints of tracking, beside Django's pages and without its
ORM.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from tracking.collect.app import Collector

app = Collector()
