"""The admin's defaults: large lists are not counted, history is not changed."""

import pytest
from django import forms
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory

from crm.kernel import backoffice


@pytest.fixture
def users(db):
    User.objects.bulk_create(
        [User(username=f"person{number}", is_staff=number % 2 == 0) for number in range(300)]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE auth_user")


def test_a_small_list_is_counted(users):
    assert backoffice.EstimatedPaginator(User.objects.order_by("pk"), 50).count == 300
    assert (
        backoffice.EstimatedPaginator(User.objects.order_by("pk").filter(username="person7"), 50).count == 1
    )
    assert backoffice.EstimatedPaginator(User.objects.order_by("pk").none(), 50).count == 0
    assert backoffice.EstimatedPaginator([1, 2], 50).count == 2


def test_a_large_list_is_estimated_without_reading_it(users, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(backoffice.EstimatedPaginator, "worth_counting", 100)
    with django_assert_num_queries(1) as seen:
        count = backoffice.EstimatedPaginator(User.objects.order_by("pk").filter(is_staff=True), 50).count
    assert 100 < count < 200
    assert seen[0]["sql"].startswith("EXPLAIN")


def test_history_cannot_be_added_to_changed_or_deleted(db):
    admin = backoffice.ReadOnlyAdmin(User, AdminSite())
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("boss")
    assert admin.has_view_permission(request)
    assert not admin.has_add_permission(request)
    assert not admin.has_change_permission(request)
    assert not admin.has_delete_permission(request)
    assert not backoffice.ReadOnlyTabularInline.has_change_permission(admin, request)


def test_every_page_is_made_with_the_house_defaults():
    for admin in (backoffice.ModelAdmin, backoffice.ReadOnlyAdmin, backoffice.SheetsAdmin):
        assert admin.show_full_result_count is False
        assert admin.list_per_page == 50
        assert admin.paginator is backoffice.EstimatedPaginator


def test_plain_fields_are_dressed_in_the_theme():
    class Plain(forms.Form):
        name = forms.CharField(widget=forms.TextInput(attrs={"class": "own"}))
        sort = forms.ChoiceField(choices=[("a", "A")])
        moment = forms.SplitDateTimeField()

    html = str(backoffice.dress(Plain()))
    assert html.count("rounded-default") >= 4 and " own" in html
    assert "class" not in Plain.base_fields["sort"].widget.attrs


def test_everything_offered_is_there():
    assert all(hasattr(backoffice, name) for name in backoffice.__all__)
