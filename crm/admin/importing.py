"""Contacts by spreadsheet: how to know people in a file, which words mean nothing, what it would do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from import_export.forms import ConfirmImportForm

from crm.kernel import clock
from crm.kernel.backoffice import ImportExportAdmin, ImportForm, UnfoldAdminTextInputWidget
from crm.sheets.contacts import SHOWN, ContactResource

ASKED = ("identified_by", "blanks")


class ContactImportForm(ImportForm):
    identified_by = forms.CharField(
        label="Column that says who they are",
        max_length=120,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Only for people without an e-mail address: the heading of the column with their number,"
        " such as Lead Number. Blank: people are found by email, phone or external_id.",
    )
    blanks = forms.CharField(
        label="Words that mean no answer",
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="With commas between them, such as Select, n/a. They count as an empty cell.",
    )


class ContactConfirmForm(ConfirmImportForm):
    identified_by = forms.CharField(widget=forms.HiddenInput(), required=False)
    blanks = forms.CharField(widget=forms.HiddenInput(), required=False)


class ContactImportAdmin(ImportExportAdmin):
    """The two steps of an import of people: look at what it would do, then do it."""

    resource_classes = [ContactResource]
    import_form_class = ContactImportForm
    confirm_form_class = ContactConfirmForm

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        told = getattr(form, "cleaned_data", {})
        return {"now": clock.now()} | {name: told.get(name, "") for name in ASKED}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            initial |= {name: import_form.cleaned_data.get(name, "") for name in ASKED}
        return initial

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = super().import_action(request, **kwargs)
        result = getattr(response, "context_data", {}).get("result")
        if result is not None:
            self._tell(request, result)
        return response

    def _tell(self, request: HttpRequest, result: Any) -> None:
        if result.unused:
            messages.warning(
                request,
                f"Nothing here takes these columns, so they are left out: {', '.join(result.unused)}. An own"
                " field with the same label takes a column in.",
            )
        wrong = result.totals["invalid"]
        if wrong:
            more = f" The first {SHOWN} of them are shown." if wrong > SHOWN else ""
            messages.error(
                request, f"{wrong:,} of {result.total_rows:,} rows cannot be used, so nothing came in.{more}"
            )
        elif not result.has_errors():
            totals = result.totals
            messages.info(
                request,
                f"{result.total_rows:,} rows: {totals['new']:,} new people, {totals['update']:,} known ones"
                f" who gain something, {totals['skip']:,} with nothing new. The first {SHOWN} are shown.",
            )
