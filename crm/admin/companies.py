"""Companies."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin
from crm.models import Company, Contact
from crm.people import changes
from crm.people.companies import RULED
from crm.people.stirring import stir


@admin.register(Company)
class CompanyAdmin(ModelAdmin):
    list_display = ["name", "domain", "city", "country"]
    search_fields = ["^name", "^domain"]
    ordering = ["name"]
    fields = ["name", "domain", ("city", "country"), "fields", "created_at"]
    readonly_fields = ["created_at"]

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and set(RULED) & set(form.changed_data):
            stir(Contact.objects.filter(company=obj).values_list("pk", flat=True))

    def delete_model(self, request: HttpRequest, obj: Company) -> None:
        self.delete_queryset(request, Company.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        with transaction.atomic():
            changes.let_go("company", keys, clock.now(), actor=request.user.get_username())
            super().delete_queryset(request, queryset)
