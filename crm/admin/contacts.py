"""Contacts: a list, and the page of one person with their timeline."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from crm.access import seeing
from crm.admin import contact_lists, contact_page, merging, person_acts, person_data
from crm.admin.finding import find
from crm.kernel import clock, masking, people_actions
from crm.kernel.backoffice import ExactFilter, SheetsAdmin, UnfoldAdminTextInputWidget, display
from crm.kernel.columns import Column
from crm.kernel.requests import CannotDo
from crm.models import Channel, Contact, OwnField
from crm.people import addresses, changes, finding, identity, own_inputs, requests
from crm.sheets import contacts as sheet
from crm.shop.showing import money

COLLEAGUE = "colleague"
CHANNELS = {"email": Channel.EMAIL, "phone": Channel.SMS}


class Tags(forms.CharField):
    """A few words, typed with commas between them, kept as a list."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        words = (" ".join(word.split()) for word in super().clean(value).split(","))
        return list(dict.fromkeys(word[:60] for word in words if word))[:50]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "")


class ContactForm(forms.ModelForm):
    """A person; addresses are checked as everywhere, and nobody's is taken away from them."""

    own: ClassVar[list[OwnField]] = []

    email = forms.CharField(label="E-mail", max_length=254, required=False, widget=UnfoldAdminTextInputWidget)
    phone = forms.CharField(
        max_length=32,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="With its country, such as +49 30 1234567.",
    )
    tags = Tags(required=False, help_text="Words of your own, with commas between them.")

    class Meta:
        model = Contact
        fields = [
            "first_name",
            "last_name",
            "email",
            "phone",
            "company",
            "owner",
            "language",
            "country",
            "time_zone",
            "tags",
            "is_test",
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        known = self.instance if not self.instance._state.adding else None
        for name, channel in CHANNELS.items():
            typed = (cleaned.get(name) or "").strip()
            if name in self.fields and typed and typed != getattr(known, name, None):
                try:
                    cleaned[name] = addresses.check(known, channel, typed)
                except addresses.Taken as taken:
                    self.add_error(name, str(taken))
                except ValueError as error:
                    self.add_error(name, f"This cannot be used: {error}.")
        if known is None and not self.errors and not (cleaned.get("email") or cleaned.get("phone")):
            raise forms.ValidationError("An e-mail address or a telephone number is needed.")
        self.answers = own_inputs.read_inputs(self, self.own, self.instance.fields)
        return cleaned


@admin.register(Contact)
class ContactAdmin(SheetsAdmin):
    sheet_subject = "crm.contacts"
    form = ContactForm
    list_display = ["person", "address", "country", "owner", "orders", "spent", "last_seen", "created_at"]
    list_filter = [
        ExactFilter.on("country", "country"),
        ExactFilter.on("source", "source"),
        contact_lists.InSegment,
        contact_lists.HasStatus,
        "is_test",
    ]
    actions = [contact_lists.add_to_list]
    sortable_by = ["person", "address", "created_at"]
    search_fields = ["^first_name", "^last_name"]
    search_help_text = "A whole e-mail address, telephone number or outside id, or how a name begins."
    ordering = ["-created_at", "-id"]
    list_select_related = ["owner", "engagement"]
    autocomplete_fields = ["company"]
    change_form_outer_before_template = "crm/contact_page.html"

    def get_list_display(self, request: HttpRequest) -> list[str]:
        # By a column that is masked nobody sorts: its order would say what it hides.
        masked = seeing.masked_in_lists(request.user)
        return ["masked_email" if masked and name == "address" else name for name in self.list_display]

    def get_fieldsets(self, request: HttpRequest, obj: Contact | None = None) -> Any:
        masked = obj is not None and seeing.never_whole(request.user)
        fields: list[Any] = [
            ("first_name", "last_name"),
            ("masked_email", "masked_phone") if masked else ("email", "phone"),
            ("company", "owner"),
            ("language", "country", "time_zone"),
            ("tags", "is_test"),
        ]
        if obj is None or self.has_change_permission(request, obj):
            names = [own_inputs.PREFIX + own.key for own in contact_page.own_fields_of(request)]
            fields += [tuple(names[place : place + 2]) for place in range(0, len(names), 2)]
        if obj is None:
            return [(None, {"fields": fields})]
        fields += [("source", "created_at"), ("updated_at", "merged_into")]
        return [("Edit this person", {"classes": ["collapse"], "fields": fields})]

    def get_form(
        self, request: HttpRequest, obj: Contact | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            own = contact_page.own_fields_of(request)
            kwargs["form"] = type("ContactForm", (ContactForm,), {"own": own} | own_inputs.inputs(own, obj))
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Contact | None = None) -> list[str]:
        told = ["masked_email", "masked_phone", "source", "created_at", "updated_at", "merged_into"]
        return told if obj else []

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) | people_actions.offered(request)

    def has_delete_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        # Deleting would take orders and results along, and leave the address free: people are erased.
        return False

    def has_change_lists_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("crm.change_segment")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).filter(merged_into=None)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Asked for once a page, with what the page says of them beside their own row."""
        if from_field is not None:
            return super().get_object(request, object_id, from_field)
        kept: dict[str, Contact | None] = request.__dict__.setdefault("_contacts", {})
        if object_id not in kept:
            try:
                known = {"pk": Contact._meta.pk.to_python(object_id)}
            except ValidationError:
                known = {"pk": None}
            people = self.get_queryset(request).select_related("company", "owner", "engagement")
            kept[object_id] = people.filter(**known).first()
        return kept[object_id]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """An address is looked up by its hash, an outside id whole; all else is how a name begins."""
        if known := finding.known_by(search_term):
            return queryset.filter(known), False
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("find/", wrap(require_GET(partial(find, self.admin_site))), name="crm_contact_find"),
            path(
                "<uuid:pk>/panel/<str:key>/",
                wrap(require_GET(partial(contact_page.panel, self))),
                name="crm_contact_panel",
            ),
            path("<uuid:pk>/do/<str:key>/", wrap(partial(person_acts.act, self)), name="crm_contact_act"),
            path(
                "<uuid:pk>/resume/",
                wrap(require_POST(partial(person_acts.resume, self))),
                name="crm_contact_resume",
            ),
            path("<uuid:pk>/merge/", wrap(partial(merging.page, self)), name="crm_contact_merge"),
            path(
                "<uuid:pk>/merge/<str:merging_id>/undo/",
                wrap(require_POST(partial(merging.undo, self))),
                name="crm_contact_unmerge",
            ),
            path("<uuid:pk>/data/", wrap(partial(person_data.page, self)), name="crm_contact_data"),
            path(
                "<uuid:pk>/data/erase/",
                wrap(sensitive_post_parameters("password")(partial(person_data.erase, self))),
                name="crm_contact_erase",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        contact = self.get_object(request, object_id)
        if contact is None and (stays := merging.stays_of(object_id)):
            return redirect("admin:crm_contact_change", stays)
        if contact is not None and self.has_view_permission(request, contact):
            extra_context = (extra_context or {}) | contact_page.context(contact, request, clock.now())
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        now = clock.now()
        typed = {name: form.cleaned_data.get(name) or "" for name in CHANNELS}
        if not change:
            known = identity.Known(email=typed["email"], phone=typed["phone"], source=COLLEAGUE)
            obj.pk = identity.resolve([known], now, source=COLLEAGUE)[0]
            before = Contact.objects.get(pk=obj.pk)
            obj._state.adding = False
            for name in ("email", "phone", "source", "created_at", "recorded_at"):
                setattr(obj, name, getattr(before, name))
        else:
            before = Contact.objects.select_for_update(no_key=True).get(pk=obj.pk)
            for name, channel in CHANNELS.items():
                if name in form.cleaned_data and typed[name] != getattr(before, name):
                    addresses.set_primary(obj, channel, typed[name], now)
        obj.fields, obj.updated_at = form.answers, now
        super().save_model(request, obj, form, True)
        changes.note(before, obj, now, actor=request.user.get_username())
        if change and form.has_changed():
            self._correct(request, obj, now)

    def _correct(self, request: HttpRequest, contact: Contact, now: datetime) -> None:
        """Opened from a request to have something corrected: the request notes it."""
        named = request.GET.get("request", "")
        if not named or not request.user.has_perm(requests.MAY):
            return
        try:
            asked = requests.asked_by(UUID(named), contact.pk, "correct", now)
            if asked is None:
                raise CannotDo("This request is closed already.")
            requests.did(asked.pk, "correct", now, by=request.user.get_username())
        except (CannotDo, ValueError) as problem:
            messages.warning(request, f"The request has no note of it: {problem}")
        else:
            request.corrected = asked.pk  # type: ignore[attr-defined]

    def response_change(self, request: HttpRequest, obj: Contact) -> HttpResponse:
        answer = super().response_change(request, obj)
        if (pk := getattr(request, "corrected", None)) and "_continue" not in request.POST:
            return redirect("admin:crm_personrequest_change", pk)
        return answer

    def export_columns(self, request: HttpRequest) -> list[Column]:
        return sheet.columns(contact_page.own_fields_of(request))

    @display(description="Name", ordering="last_name", header=True)
    def person(self, contact: Contact) -> list[str]:
        initials = (contact.first_name[:1] + contact.last_name[:1]).upper() or "·"
        return [str(contact), contact.source, initials]

    @display(description="E-mail", ordering="email")
    def address(self, contact: Contact) -> str:
        return masking.told(contact.email)

    @display(description="E-mail")
    def masked_email(self, contact: Contact) -> str:
        return masking.told(contact.email)

    @display(description="Phone")
    def masked_phone(self, contact: Contact) -> str:
        return masking.told(contact.phone)

    @display(description="Orders")
    def orders(self, contact: Contact) -> int:
        return _engagement(contact, "order_count") or 0

    @display(description="Spent")
    def spent(self, contact: Contact) -> str:
        return money(_engagement(contact, "spent") or Decimal(0))

    @display(description="Last here")
    def last_seen(self, contact: Contact) -> Any:
        return _engagement(contact, "last_seen_at")


def _engagement(contact: Contact, field: str) -> Any:
    engagement = getattr(contact, "engagement", None)
    return getattr(engagement, field) if engagement else None
