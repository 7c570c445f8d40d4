"""The people who log in, in the admin's own look."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from crm.access import passwords
from crm.admin.fresh_password import FreshPasswordMixin
from crm.kernel import clock
from crm.kernel.backoffice import (
    AdminOwnPasswordChangeForm,
    AdminPasswordChangeForm,
    ModelAdmin,
    StackedInline,
    UserChangeForm,
    UserCreationForm,
)
from crm.models import ExportLimit
from crm.people import changes

admin.site.unregister(User)
admin.site.unregister(Group)


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A new password of one's own: the old one is guessed at no more often here than elsewhere."""

    def clean_old_password(self) -> str:
        typed: str = self.cleaned_data["old_password"]
        try:
            passwords.check(self.user, typed, clock.now())
        except passwords.Wrong as wrong:
            raise forms.ValidationError(str(wrong)) from None
        return typed


def _password_change(request: HttpRequest, extra_context: Any = None) -> Any:
    view = PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse("admin:password_change_done"),
        template_name=admin.site.password_change_template or "registration/password_change_form.html",
        extra_context=admin.site.each_context(request) | (extra_context or {}),
    )
    return view(request)


# The site names its form inside of its view: another form takes another view.
admin.site.password_change = _password_change  # type: ignore[method-assign]


@admin.register(User)
class UserAdmin(FreshPasswordMixin, BaseUserAdmin, ModelAdmin):  # type: ignore[misc]
    exports = False
    fresh_for = "to change who may log in and what they may do"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "first_name", "last_name", "is_staff", "is_superuser", "last_login"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        own = [*super().get_readonly_fields(request, obj)]
        return own if request.user.is_superuser else [*own, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def _may_touch(self, request: HttpRequest, obj: User | None) -> bool:
        """Who changes users makes nobody a superuser, not even by the password of one."""
        return obj is None or not obj.is_superuser or bool(request.user.is_superuser)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        shown, counts, needed, protected = super().get_deleted_objects(objs, request)
        if not all(self._may_touch(request, one) for one in objs):
            needed = {*needed, "superuser"}
        return shown, counts, needed, protected

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if self.has_change_permission(request) and (asked := self._asked(request)):
            return asked
        return super().user_change_password(request, id, form_url)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        with transaction.atomic():
            changes.let_go("owner", keys, clock.now(), actor=request.user.get_username())
            super().delete_queryset(request, queryset)


class ExportLimitInline(StackedInline):
    """How much the people of this group may take away."""

    model = ExportLimit
    max_num = 1
    verbose_name_plural = (
        "How much of lists they may take away as files, where they may at all. In several such groups the "
        "widest counts."
    )


@admin.register(Group)
class GroupAdmin(FreshPasswordMixin, BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    exports = False
    fresh_for = "to change what a group may do"
    inlines = [ExportLimitInline]
