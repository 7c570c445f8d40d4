"""`manage.py tick`: scheduled jobs by hand, without Celery."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm.models import Heartbeat

pytestmark = pytest.mark.django_db


def tick(*names: str) -> str:
    out = StringIO()
    call_command("tick", *names, stdout=out)
    return out.getvalue()


def test_without_a_name_it_lists_what_there_is():
    told = tick()
    for name in ("tracking.ingest", "campaigns.trigger", "campaigns.advance", "campaigns.credit"):
        assert f"{name}  every " in told


def test_it_runs_each_and_notes_the_heartbeat():
    assert tick("campaigns.trigger", "campaigns.credit") == "campaigns.trigger: 0\ncampaigns.credit: 0\n"
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"campaigns.trigger", "campaigns.credit"}


def test_it_names_the_job_it_does_not_know():
    with pytest.raises(CommandError, match=r"campaigns\.nap"):
        tick("campaigns.nap")
