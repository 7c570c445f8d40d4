"""Lists taken away as a colleague takes them: chosen, made by the tick, fetched."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.test import Client
from django.urls import reverse

from crm.kernel import clock
from crm.models import Export
from crm.ticking import run_tick


def asked(client: Client, table: str, query: str = "", **typed: Any) -> Export:
    """The form as it comes, or with other columns or another format."""
    url = f"{reverse('admin:crm_export_of', args=[table])}?{query}"
    form = client.get(url).context["form"]
    answer = client.post(url, {"columns": form.initial["columns"], "format": "csv"} | typed)
    assert answer.status_code == 302, (table, answer.context["form"].errors)
    return Export.objects.latest("pk")


def taken(client: Client, table: str, query: str = "", **typed: Any) -> bytes:
    """The file of a list."""
    export = asked(client, table, query, **typed)
    run_tick("crm.exports", clock.now())
    return fetched(client, export)


def fetched(client: Client, export: Export) -> bytes:
    answer = client.post(reverse("admin:crm_export_file", args=[export.pk]))
    assert answer.status_code == 200, export.problem
    return b"".join(answer.streaming_content)


def rows(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
