"""Companies."""

from django.contrib import admin

from crm.kernel.backoffice import ModelAdmin
from crm.models import Company


@admin.register(Company)
class CompanyAdmin(ModelAdmin):
    list_display = ["name", "domain", "country"]
    search_fields = ["^name", "^domain"]
    ordering = ["name"]
    readonly_fields = ["created_at"]
