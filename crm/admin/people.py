"""The people who log in, in the admin's own look."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from crm.access import administering, passwords
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
from crm.models import ExportLimit, Sight
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


class ColleagueForm(UserChangeForm):
    """A colleague, as `by` changes them: somebody is left who administers, and it is not for oneself."""

    by: ClassVar[Any]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        user = self.instance
        if user.pk == self.by.pk and not self.by.is_superuser:
            for name in ("groups", "user_permissions"):
                if name in said and administering.gives(getattr(user, name).all(), said[name]):
                    self.add_error(name, administering.OWN)
        if not administering.stays_one(user, said) and not administering.are_left(without=[user.pk]):
            self.add_error(None, administering.LAST)
        return said


class GroupForm(forms.ModelForm):
    """What a group may do, as `by` changes it."""

    by: ClassVar[Any]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        group = self.instance
        if group.pk is None or "permissions" not in said:
            return said
        wanted = said["permissions"]
        if is_own(self.by, group) and administering.gives(group.permissions.all(), wanted):
            self.add_error("permissions", administering.OWN)
        if not administering.MAY.filter(pk__in=wanted).exists() and not administering.are_left(
            groups=[group.pk]
        ):
            self.add_error("permissions", administering.LAST)
        return said


class ColleaguePasswordForm(AdminPasswordChangeForm):
    """A password for a colleague; of the last who administers it is not taken away."""

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("set_usable_password") is False and not administering.are_left(without=[self.user.pk]):
            self.add_error("password1", administering.LAST)
        return said


def is_own(user: Any, group: Group) -> bool:
    """Whether somebody is in a group and so does not say what it may; superusers say it of any."""
    return not user.is_superuser and user.groups.filter(pk=group.pk).exists()


@admin.register(User)
class UserAdmin(FreshPasswordMixin, BaseUserAdmin, ModelAdmin):  # type: ignore[misc]
    exports = False
    fresh_for = "to change who may log in and what they may do"
    form = ColleagueForm
    add_form = UserCreationForm
    change_password_form = ColleaguePasswordForm
    list_display = ["username", "email", "first_name", "last_name", "is_staff", "is_superuser", "last_login"]

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None:
            kwargs["form"] = type("ColleagueForm", (ColleagueForm,), {"by": request.user})
        return super().get_form(request, obj, change=change, **kwargs)

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
        if not administering.are_left(without=[one.pk for one in objs]):
            protected = [*protected, administering.LAST]
        return shown, counts, needed, protected

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if self.has_change_permission(request) and (asked := self._asked(request)):
            return asked
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        with transaction.atomic():
            if not administering.are_left(without=keys):
                raise PermissionDenied(administering.LAST)
            changes.let_go("owner", keys, clock.now(), actor=request.user.get_username())
            super().delete_queryset(request, queryset)


class _OfAGroup(StackedInline):
    """One row that says more of a group; by others than its own people."""

    max_num = 1

    def has_add_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_add_permission(request, obj) and not _is_own(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_own(request, obj)


class ExportLimitInline(_OfAGroup):
    """How much the people of this group may take away."""

    model = ExportLimit
    verbose_name_plural = (
        "How much of lists they may take away as files, where they may at all. In several such groups the "
        "widest counts."
    )


class SightInline(_OfAGroup):
    """Whom the people of this group get to see, and how they see addresses."""

    model = Sight
    verbose_name_plural = (
        "Whom they get to see, where they see people at all, and how they see addresses. In several such "
        "groups the widest counts; without a line here they see everybody, and addresses whole."
    )


def _is_own(request: HttpRequest, group: Group | None) -> bool:
    return group is not None and is_own(request.user, group)


@admin.register(Group)
class GroupAdmin(FreshPasswordMixin, BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    exports = False
    fresh_for = "to change what a group may do"
    inlines = [ExportLimitInline, SightInline]

    def get_form(
        self, request: HttpRequest, obj: Group | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = type("GroupForm", (GroupForm,), {"by": request.user})
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:
        told = {"description": administering.OWN_GROUP} if _is_own(request, obj) else {}
        return [(None, {"fields": ["name", "permissions"], **told})]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        shown, counts, needed, protected = super().get_deleted_objects(objs, request)
        if not administering.are_left(groups=[one.pk for one in objs]):
            protected = [*protected, administering.LAST]
        return shown, counts, needed, protected

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        self.delete_queryset(request, Group.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        with transaction.atomic():
            if not administering.are_left(groups=list(queryset.values_list("pk", flat=True))):
                raise PermissionDenied(administering.LAST)
            super().delete_queryset(request, queryset)
