"""Rules as trees of conditions, kept in one field."""

from typing import Any

from django.db import models


class RuleField(models.JSONField):
    """A rule: one JSON document."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", dict)
        super().__init__(*args, **kwargs)
