"""Long lists say about how many they have, end where they end, and their pages do not go on for ever."""

from __future__ import annotations

from crm.admin.contacts import ContactAdmin
from crm.kernel import long_lists
from crm.models import Contact


def test_a_long_list_says_about_how_many_and_ends_its_pages(ada, monkeypatch):
    Contact.objects.bulk_create(Contact(first_name=f"N{number}") for number in range(7))
    page = "/admin/crm/contact/"
    assert "7 contacts" in " ".join(ada.get(page).content.decode().split())
    monkeypatch.setattr(long_lists, "planned_rows", lambda rows: 1_204_321)
    monkeypatch.setattr(long_lists, "DEEPEST_PAGE", 2)
    # A page that is not full is the last one: now it is known.
    assert "7 contacts" in " ".join(ada.get(page).content.decode().split())
    monkeypatch.setattr(ContactAdmin, "list_per_page", 2)
    first, second = (" ".join(ada.get(f"{page}?p={n}").content.decode().split()) for n in (1, 2))
    assert "about 1,204,000 contacts" in first and "The pages end here" not in first
    assert "The pages end here" in second and "or export all of it" in second
    assert ada.get(f"{page}?p=3").status_code == 302
    # Where the planner expects few and there are many, counting has an end, too.
    monkeypatch.setattr(long_lists, "planned_rows", lambda rows: 1)
    monkeypatch.setattr(long_lists.EstimatedPaginator, "worth_counting", 1)
    changes = ada.get(page).context["cl"]
    assert (changes.result_count, changes.is_estimate) == (5, True)
