"""K1: the queue of what people ask is open to those who answer it alone; looking changes nothing, and neither
does what comes from another site.
"""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.models import PersonRequest, RequestLine, Role
from tests import office
from tests.config.test_admin_doors import written

pytestmark = pytest.mark.django_db

ACTS = ("identity", "waits", "who", "unknown", "extend", "answer", "refuse", "withdraw", "note", "file")


def addresses(asked: PersonRequest) -> list[str]:
    return [
        reverse("admin:crm_personrequest_changelist"),
        reverse("admin:crm_personrequest_add"),
        reverse("admin:crm_personrequest_change", args=[asked.pk]),
        reverse("admin:crm_personrequest_history", args=[asked.pk]),
        *(reverse("admin:crm_personrequest_act", args=[asked.pk, what]) for what in ACTS),
        f"{reverse('admin:crm_contact_data', args=[asked.contact_id])}?request={asked.pk}",
        f"{reverse('admin:crm_contact_erase', args=[asked.contact_id])}?request={asked.pk}",
    ]


@pytest.mark.parametrize("role", ["viewers", "sales", "marketers", "marketing_leads"])
def test_whoever_does_not_answer_requests_gets_in_nowhere(world, role):
    colleague = office.user("kim")
    colleague.groups.add(Role.objects.get(key=role).group)
    client, asked = office.logged_in(colleague), PersonRequest.objects.get()
    posted = {"words": "x", "password": "secret", "name": str(world.contact), "kind": "crm.erase"}
    for address in addresses(asked):
        assert client.get(address).status_code in (403, 405), address
        assert client.post(address, posted).status_code == 403, address
    asked.refresh_from_db()
    assert asked.is_to_do and not RequestLine.objects.exists() and PersonRequest.objects.count() == 1


def test_every_other_permission_together_opens_no_request(world):
    kim = office.user("kim")
    kim.user_permissions.set(Permission.objects.exclude(codename="handle_requests"))
    client, asked = office.logged_in(kim), PersonRequest.objects.get()
    for address in addresses(asked):
        assert client.post(address, {"words": "x"}).status_code == 403, address
    text = client.get(reverse("admin:crm_contact_change", args=[world.contact.pk])).content.decode()
    assert "personrequest" not in text


def test_opening_pages_of_a_request_changes_nothing(ada, world):
    asked = PersonRequest.objects.get()
    ada.get(reverse("admin:index"))
    for address in addresses(asked):
        with CaptureQueriesContext(connection) as queries:
            assert ada.get(address).status_code in (200, 302, 405), address
        assert written(queries) == [], address


def test_a_form_of_another_site_does_nothing(world):
    ada, asked = Client(enforce_csrf_checks=True), PersonRequest.objects.get()
    ada.force_login(office.user("ada", is_superuser=True))
    for address in addresses(asked):
        assert ada.post(address, {"words": "x"}).status_code == 403, address
    assert not RequestLine.objects.exists()


@pytest.mark.proof
@pytest.mark.parametrize("words", ["\0", "x" * 100_000, "<svg onload=alert(1)>", "{% debug %}", "\ud800"])
def test_strange_words_at_a_button_are_kept_harmless_or_refused(ada, world, words):
    asked = PersonRequest.objects.get()
    for what in ("note", "identity", "who", "extend"):
        posted = {"words": words.encode("utf-8", "surrogatepass")}
        answer = ada.post(reverse("admin:crm_personrequest_act", args=[asked.pk, what]), posted)
        assert answer.status_code in (302, 400), what
    text = ada.get(reverse("admin:crm_personrequest_change", args=[asked.pk])).content.decode()
    assert "<svg onload" not in text
