"""Filters are saved under a name, for oneself or for everybody, and stand above the list."""

from __future__ import annotations

from django.urls import reverse

from crm.models import SavedView
from tests import office

LIST = "/admin/crm/contact/"


def save(client, **typed):
    return client.post(
        reverse("admin:crm_savedview_save"), {"table": "crm.contact", "query": "country=PT&p=3", **typed}
    )


def test_a_view_is_saved_chosen_and_forgotten(world, ada, vera):
    assert "Save this view" not in ada.get(LIST).content.decode()
    assert "Save this view" in ada.get(f"{LIST}?country=PT").content.decode()
    answer = save(ada, name=" From Portugal ")
    assert answer.status_code == 302 and answer["Location"] == f"{LIST}?country=PT"
    page = ada.get(f"{LIST}?country=PT").content.decode()
    assert 'href="?country=PT" aria-current="page">From Portugal' in page and "Save this view" not in page
    # It is theirs alone, and one of the same name takes its place.
    assert "From Portugal" not in vera.get(LIST).content.decode()
    save(ada, name="From Portugal", query="country=PT&is_test__exact=0", is_shared="on")
    view = SavedView.objects.get()
    assert view.query == "country=PT&is_test__exact=0"
    assert "From Portugal" in vera.get(LIST).content.decode()
    # Whose it is not forgets it not.
    forget = {"action": "forget", "_selected_action": [str(view.pk)]}
    vera.post(reverse("admin:crm_savedview_changelist"), forget)
    assert SavedView.objects.exists()
    ada.post(reverse("admin:crm_savedview_changelist"), forget)
    assert not SavedView.objects.exists()


def test_a_view_is_saved_of_lists_one_may_look_at_and_for_everybody_with_leave(world, vera, sten):
    assert save(vera, name="Mine").status_code == 302
    assert save(vera, name="Ours", is_shared="on").status_code == 403
    assert save(sten, name="Mine").status_code == 403
    for table in ("crm.nothing", "x", "crm.contactpoint", "auth.user.x", "CRM.Contact", "//evil.example"):
        assert save(vera, name="Mine", table=table).status_code == 403, table
    assert save(vera, name="").status_code == 302 and save(vera, name="x" * 81).status_code == 302
    assert [view.name for view in SavedView.objects.all()] == ["Mine"]
    assert vera.get(reverse("admin:crm_savedview_save")).status_code == 405
    lead = office.logged_in(office.user("lead", "crm.view_contact", "crm.share_savedview"))
    save(lead, name="<script>", is_shared="on")
    assert "&lt;script&gt;" in vera.get(LIST).content.decode()
