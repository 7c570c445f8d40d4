"""The list of imports, and the one page each of them has; every act is a button of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import get_valid_filename
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET, require_POST

from crm.admin.imports import pages
from crm.admin.imports.forms import ColumnsForm, ConsentForm, DropForm, ReadingForm, initial_consent, offered
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display, dress
from crm.models import Import
from crm.sheets import reading
from crm.sheets.formats import encodings
from crm.sheets.importing import acts, files, refused
from crm.sheets.matching import recognise_export
from crm.sheets.reading import Look, Unreadable
from crm.sheets.subjects import Subject, subjects

PERMISSION = "crm.import_contacts"
Status = Import.Status
COLOURS = {
    "waits for its columns": "info",
    "came in": "success",
    "failed": "danger",
    "stopped half-way": "warning",
}


@admin.register(Import)
class ImportAdmin(ModelAdmin):
    """Whoever may import sees what others imported, too, and may undo it."""

    exports = False
    list_display = ["name", "what", "state", "rows", "came_in", "made_by", "created_at"]
    list_select_related = ["made_by"]
    sortable_by: list[str] = []
    ordering = ["-id"]
    search_fields = ["name"]
    list_before_template = "crm/imports/intro.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PERMISSION) or super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        def act(name: str, view: Callable[..., HttpResponse]) -> Any:
            return path(
                f"<uuid:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"crm_import_{name}",
            )

        wrap = self.admin_site.admin_view
        return [
            act("look", self.look_again),
            act("check", self.dry_run),
            act("begin", self._act(acts.begin, "It is coming in.")),
            act("stop", self._act(acts.stop, "Stopped.")),
            act("go_on", self._act(acts.go_on, "The rest is coming in.")),
            act("undo", self._act(acts.undo, "It is being undone.")),
            act("discard", self.discard),
            path("<uuid:pk>/progress/", wrap(require_GET(self.progress)), name="crm_import_progress"),
            path("<uuid:pk>/refused.csv", wrap(require_GET(self.refused)), name="crm_import_refused"),
            path("<uuid:pk>/remarks.csv", wrap(require_GET(self.remarks)), name="crm_import_remarks"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Drop a file: it is kept, looked at, and nothing else."""
        self._need(request)
        form = DropForm(request, initial={"subject": request.GET.get("subject", "crm.contacts")})
        if request.method == "POST":
            form = DropForm(request, data=request.POST, files=request.FILES)
            if form.is_valid() and (run := self._drop(request, form)):
                return redirect("admin:crm_import_change", run.pk)
        told = {"title": "Import a file", "form": form, "steps": pages.steps(None), "largest": files.LARGEST}
        return render(request, "crm/imports/drop.html", self.admin_site.each_context(request) | told)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is None:
            raise Http404
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        return self._page(request, run)

    def look_again(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Read the file in another way than we took it to be."""
        run = self._run(request, pk, Status.SEEN, Status.CHECKED, Status.FAILED)
        form = ReadingForm(Look.from_json(run.look), data=request.POST)
        if not form.is_valid():
            return self._page(request, run, reading_form=form)
        try:
            seen = reading.look(files.path_of(run), run.name, **form.cleaned_data)
        except Unreadable as wrong:
            form.add_error(None, str(wrong))
            return self._page(request, run, reading_form=form)
        run.look, run.mapping, run.status, run.problem = seen.as_json(), {}, Status.SEEN, ""
        run.save(update_fields=["look", "mapping", "status", "problem"])
        return redirect("admin:crm_import_change", pk)

    def dry_run(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Take what the columns are and what is to be done with them, and say what would happen."""
        run = self._run(request, pk, Status.SEEN, Status.CHECKED, Status.FAILED)
        subject, now = self._subject(request, run), clock.now()
        columns = ColumnsForm(subject, pages.matches(run), data=request.POST)
        options = dress(subject.Params(data=request.POST, prefix="option"))
        agreed = ConsentForm(localtime(now).date(), data=request.POST, prefix="consent")
        is_valid = [
            form.is_valid() for form in (columns, options, *([agreed] if subject.takes_consent else []))
        ]
        if not all(is_valid):
            messages.error(request, "Not yet: see what is said in red below.")
            return self._page(request, run, columns=columns, options=options, agreed=agreed)
        run.mapping = columns.mapping()
        run.options = subject.typed(request.POST, prefix="option")
        run.consent = agreed.told() if subject.takes_consent else {}
        return self._done(request, run, lambda: acts.check(run, now))

    def discard(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Forget a file that nothing came in from."""
        run = self._run(request, pk, Status.SEEN, Status.CHECKED, Status.FAILED)
        files.forget(run)
        run.delete()
        messages.success(request, f"“{run.name}” is forgotten: nothing came in.")
        return redirect("admin:crm_import_changelist")

    def progress(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """How far it is; once it is done, the page is shown anew."""
        run = self.get_object(request, str(pk))
        if run is None or not self.has_view_permission(request, run):
            raise PermissionDenied
        answer = render(request, "crm/imports/progress.html", pages.progress(run, clock.now()))
        if run.status not in Import.BUSY:
            answer["HX-Refresh"] = "true"
        return answer

    def refused(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The refused rows with their reasons, as a file."""
        run = self._run(request, pk)
        return _file(f"refused {run.name.rsplit('.', 1)[0]}.csv", refused.lines(run))

    def remarks(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """What was left out of rows that come in, as a file."""
        run = self._run(request, pk)
        return _file(f"remarks {run.name.rsplit('.', 1)[0]}.csv", refused.remarks(run))

    def _drop(self, request: HttpRequest, form: DropForm) -> Import | None:
        file = form.cleaned_data["file"]
        run = Import(subject=form.cleaned_data["subject"], name=file.name[:200], made_by_id=request.user.pk)
        run.created_at = clock.now()
        try:
            files.keep(run, file.chunks())
            run.look = reading.look(files.path_of(run), run.name).as_json()
        except (files.TooLarge, Unreadable) as wrong:
            files.path_of(run).unlink(missing_ok=True)
            form.add_error("file", str(wrong))
            return None
        run.save()
        return run

    def _page(self, request: HttpRequest, run: Import, **bound: Any) -> HttpResponse:
        now, subject, may = clock.now(), subjects.get(run.subject), request.user.has_perm(PERMISSION)
        look = Look.from_json(run.look)
        told: dict[str, Any] = {
            "run": run,
            "subject": subject,
            "look": look,
            "may_act": may,
            "title": run.name,
        }
        told |= {"steps": pages.steps(run), "opts": self.model._meta}
        if run.status in (Status.SEEN, Status.FAILED) or "columns" in bound or "reading_form" in bound or (
            run.status == Status.CHECKED and "columns" in request.GET
        ):  # fmt: skip
            found, export = pages.matches(run), recognise_export(look)
            nothing = {"blanks": ", ".join(export.means_nothing)} if export and export.means_nothing else {}
            # Nothing was answered yet: what lacks is not said in red before somebody left it out.
            options = (
                subject.form(run.options, prefix="option")
                if run.options
                else subject.Params(prefix="option", initial=nothing)
            )
            told |= {
                "template": "crm/imports/seen.html",
                "columns": bound.get("columns") or ColumnsForm(subject, found),
                "letters": encodings.label(look.encoding) if look.encoding else "",
                "recognised": sum(bool(one.target) for one in found),
                "export": export,
                "options": bound.get("options") or dress(options),
                "agreed": bound.get("agreed")
                or ConsentForm(localtime(now).date(), initial=initial_consent(run), prefix="consent"),
                "reading_form": bound.get("reading_form") or ReadingForm(look),
            }
        elif run.status in Import.BUSY:
            told |= {"template": "crm/imports/running.html"} | pages.progress(run, now)
        elif run.status == Status.CHECKED:
            told |= {"template": "crm/imports/checked.html"} | pages.checked(run)
        else:
            told |= {"template": "crm/imports/done.html"} | pages.ended(run)
        return render(request, "crm/imports/page.html", self.admin_site.each_context(request) | told)

    def _act(self, act: Callable[..., None], words: str) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, pk: Any) -> HttpResponse:
            run = self._run(request, pk)
            return self._done(request, run, lambda: act(run, clock.now()), words)

        return view

    def _done(
        self, request: HttpRequest, run: Import, act: Callable[[], None], words: str = ""
    ) -> HttpResponse:
        try:
            act()
        except acts.NotNow as wrong:
            messages.error(request, str(wrong))
        else:
            if words:
                messages.success(request, words)
        return redirect("admin:crm_import_change", run.pk)

    def _run(self, request: HttpRequest, pk: Any, *statuses: str) -> Import:
        self._need(request)
        run = self.get_object(request, str(pk))
        if run is None:
            raise Http404
        self._subject(request, run)
        if statuses and run.status not in statuses:
            raise Http404("This import is past that step.")
        return run

    def _subject(self, request: HttpRequest, run: Import) -> Subject:
        subject = subjects.get(run.subject)
        if subject not in offered(request):
            raise PermissionDenied
        return subject

    def _need(self, request: HttpRequest) -> None:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied

    @display(description="Rows are")
    def what(self, run: Import) -> str:
        return subjects.get(run.subject).label

    @display(description="State", label=COLOURS)
    def state(self, run: Import) -> tuple[str, str]:
        return run.get_status_display(), run.get_status_display()

    @display(description="Rows")
    def rows(self, run: Import) -> str:
        return f"{run.total:,}" if run.total else ""

    @display(description="New, changed, refused")
    def came_in(self, run: Import) -> str:
        return (
            f"{run.made:,} · {run.updated:,} · {run.refused:,}"
            if run.made or run.updated or run.refused
            else ""
        )


def _file(name: str, lines: Iterator[str]) -> HttpResponse:
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{get_valid_filename(name)}"'
    return answer  # type: ignore[return-value]
