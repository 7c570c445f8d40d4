"""What was taken away, by whom; and the page of one export, where its file is fetched."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.text import get_valid_filename
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.access import fresh
from crm.admin.exports.forms import ChoiceForm
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display
from crm.models import Export
from crm.sheets.exporting import acts, limits
from crm.sheets.exporting.limits import PASSWORD_ABOVE
from crm.sheets.exporting.listing import PERMISSION, Listing, Refused, in_words, may_export

Status = Export.Status
COLOURS = {
    Status.WAITING: "info",
    Status.RUNNING: "info",
    Status.DONE: "success",
    Status.FAILED: "danger",
    Status.STOPPED: "warning",
}


@admin.register(Export)
class ExportAdmin(ModelAdmin):
    """Everybody sees their own exports; whoever may look at all of them sees who took what. A file is for
    whoever asked for it, and for superusers.
    """

    exports = False
    list_display = ["what", "filters", "state", "rows", "made_by_name", "created_at", "downloads"]
    list_filter = ["status"]
    sortable_by: list[str] = []
    ordering = ["-id"]
    search_fields = ["made_by_name__exact"]
    search_help_text = "Whose: a user name."

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        if request.user.has_perm("crm.view_export"):
            return True
        return request.user.has_perm(PERMISSION) and (obj is None or obj.made_by_id == request.user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        all_of_them = super().get_queryset(request)
        if request.user.has_perm("crm.view_export"):
            return all_of_them
        return all_of_them.filter(made_by=request.user.pk)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        choose = require_http_methods(["GET", "POST"])(self.choose)
        return [
            path("of/<str:label>/", wrap(choose), name="crm_export_of"),
            path("<uuid:pk>/progress/", wrap(require_GET(self.progress)), name="crm_export_progress"),
            path("<uuid:pk>/stop/", wrap(require_POST(self.stop)), name="crm_export_stop"),
            path("<uuid:pk>/file/", wrap(require_POST(self.file)), name="crm_export_file"),
            *super().get_urls(),
        ]

    def choose(self, request: HttpRequest, label: str) -> HttpResponse:
        """Which columns, which format; then the file is made."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        try:
            listing = Listing(label, request.GET.urlencode(), request.user)
            changes = listing.changes()
        except Refused as wrong:
            raise PermissionDenied(str(wrong)) from None
        columns = listing.columns()
        name = listing.model._meta.label_lower
        form = ChoiceForm(columns, acts.last_chosen(request.user, name), request.POST or None)
        if request.method == "POST" and form.is_valid():
            now, chosen = clock.now(), form.cleaned_data
            try:
                limits.check_list(listing, now)
                many = listing.at_most(PASSWORD_ABOVE + 1) > PASSWORD_ABOVE
                if many and (page := self._asked(request, request.get_full_path())):
                    return page
                is_fresh = fresh.is_fresh(request, now)
                export = acts.ask(listing, chosen["columns"], chosen["format"], now, is_fresh=is_fresh)
            except Refused as wrong:
                form.add_error(None, str(wrong))
            else:
                self.log_addition(request, export, f"Asked for {export}.")
                return redirect("admin:crm_export_change", export.pk)
        limit, taken = limits.widest(request.user, clock.now())
        list_url = reverse(
            f"admin:{listing.model._meta.app_label}_{listing.model._meta.model_name}_changelist"
        )
        told = {
            "title": f"Export {listing.title}",
            "form": form,
            "what": listing.title,
            "number": changes.result_count,
            "is_estimate": getattr(changes.paginator, "is_estimate", False),
            "filters": in_words(changes),
            "limit": limit.in_words(taken) if limit else "",
            "list_url": f"{list_url}?{request.GET.urlencode()}",
            "opts": self.opts,
        }
        return render(request, "crm/exports/choose.html", self.admin_site.each_context(request) | told)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        export = self._seen(request, object_id)
        told = {
            "title": f"Export of {export.title}",
            "opts": self.opts,
            "may_fetch": self._may_fetch(request, export),
        } | _progress(export)
        return render(request, "crm/exports/page.html", self.admin_site.each_context(request) | told)

    def progress(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """How far it is; once it is made, the page is shown anew."""
        export = self._seen(request, pk)
        answer = render(request, "crm/exports/progress.html", _progress(export))
        if export.status not in Export.BUSY:
            answer["HX-Refresh"] = "true"
        return answer

    def stop(self, request: HttpRequest, pk: Any) -> HttpResponse:
        export = self._mine(request, pk)
        if acts.stop(export, clock.now()):
            messages.success(request, "Stopped. Nothing of it is kept.")
        return redirect("admin:crm_export_change", export.pk)

    def file(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The file itself; that it was fetched is noted."""
        export, now = self._mine(request, pk), clock.now()
        if export.rows > PASSWORD_ABOVE:
            its_page = reverse("admin:crm_export_change", args=[export.pk])
            if page := self._asked(request, its_page, then=its_page):
                return page
        try:
            kept = acts.fetch(export, now)
        except acts.Gone as wrong:
            messages.error(request, str(wrong))
            return redirect("admin:crm_export_change", export.pk)
        self.log_change(request, export, f"Fetched {export.rows:,} rows of {export}.")
        name = get_valid_filename(f"{export.title} {localtime(export.created_at):%Y-%m-%d}.{export.format}")
        answer = FileResponse(kept.open("rb"), as_attachment=True, filename=name)
        answer["Cache-Control"] = "private, no-store"
        return answer  # type: ignore[return-value]

    def _asked(self, request: HttpRequest, back: str, then: str = "") -> HttpResponse | None:
        return fresh.password_page(
            request,
            f"to take more than {PASSWORD_ABOVE:,} rows away",
            clock.now(),
            back=back,
            then=then,
        )

    def _seen(self, request: HttpRequest, pk: Any) -> Export:
        export = self.get_object(request, str(pk))
        if export is None or not self.has_view_permission(request, export):
            raise Http404
        return export

    def _mine(self, request: HttpRequest, pk: Any) -> Export:
        export = self._seen(request, pk)
        if not self._may_fetch(request, export):
            raise PermissionDenied
        return export

    def _may_fetch(self, request: HttpRequest, export: Export) -> bool:
        """Theirs or a superuser's, who may still look at that list."""
        if export.made_by_id != request.user.pk and not request.user.is_superuser:
            return False
        try:
            listing = Listing(export.table, "", request.user)
        except Refused:
            return False
        return may_export(listing.admin, request)

    @display(description="What")
    def what(self, export: Export) -> str:
        return export.title

    @display(description="Filters")
    def filters(self, export: Export) -> str:
        return export.told or "all"

    @display(description="State", label=COLOURS)
    def state(self, export: Export) -> tuple[str, str]:
        return export.status, export.get_status_display()


def _progress(export: Export) -> dict[str, Any]:
    percent = min(100 * export.done // export.total, 100) if export.total else 0
    is_finishing = export.status == Status.RUNNING and export.done >= export.total
    return {"export": export, "percent": percent, "is_finishing": is_finishing}
