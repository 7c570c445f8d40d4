"""The picture library: many taken in at once, named and described in the list, chosen by the editors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from campaigns.images import library
from campaigns.models import Image
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, display

CHOICES = 60
TOLD_ONE_BY_ONE = 8


def choosable(field: forms.Field) -> None:
    """A field for the address of a picture gets a button that opens the library; the page needs `CHOOSER`."""
    field.widget.attrs |= {"data-choose-image": reverse("admin:campaigns_image_choose")}


CHOOSER = "rekindle/images.js"


class Offered(admin.SimpleListFilter):
    title = "which"
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("undescribed", "without alternative text"), ("away", "put away")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        if self.value() == "away":
            return queryset.exclude(hidden_at=None)
        found = queryset.filter(hidden_at=None)
        return found.filter(alt="") if self.value() == "undescribed" else found


@admin.register(Image)
class ImageAdmin(ModelAdmin):
    list_display = ["shown", "name", "alt", "measures", "uploaded_at"]
    list_display_links = ["shown", "name"]
    list_editable = ["alt"]
    list_filter = [Offered]
    search_fields = ["name", "alt"]
    ordering = ["-uploaded_at", "-id"]
    sortable_by = ["name", "uploaded_at"]
    list_before_template = "campaigns/images_intro.html"
    change_form_outer_before_template = "campaigns/image_page.html"
    fields = ["name", "alt"]
    actions = ["put_away", "put_back"]

    class Media:
        js = ["rekindle/images.js"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        # The list itself takes them in, many at once.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was sent still shows them.
        return False

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("choose/", wrap(require_GET(self.choose)), name="campaigns_image_choose"),
            path("upload/", wrap(require_POST(self.upload)), name="campaigns_image_upload"),
            *super().get_urls(),
        ]

    def choose(self, request: HttpRequest) -> HttpResponse:
        """The newest pictures, or with `q` those found, for an editor: address, name, text and size."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = library.offered(request.GET.get("q", ""))[:CHOICES]
        return JsonResponse([_told(image) for image in found], safe=False)

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take in what was dropped or chosen; says of each file that is not taken why not."""
        if not request.user.has_perm("campaigns.add_image"):
            raise PermissionDenied
        files, now = request.FILES.getlist("files"), clock.now()
        taken, known, refused = [], 0, []
        for file in files[: library.MOST_AT_ONCE]:
            try:
                image, is_new = library.take(file, request.user, now)
            except library.Refused as reason:
                refused.append(f"{file.name}: {reason}")
                continue
            taken.append(image)
            known += not is_new
        if len(files) > library.MOST_AT_ONCE:
            refused.append(f"At most {library.MOST_AT_ONCE} at once: send the others in another go.")
        if "json" in request.GET:
            return JsonResponse({"taken": [_told(image) for image in taken], "refused": refused})
        _report(request, len(taken) - known, known, refused)
        return redirect("admin:campaigns_image_changelist")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told = {
            "may_upload": request.user.has_perm("campaigns.add_image"),
            "most_at_once": library.MOST_AT_ONCE,
            "most_megabytes": library.MOST_BYTES // 1024**2,
        }
        return super().changelist_view(request, (extra_context or {}) | told)

    @display(description="Picture")
    def shown(self, image: Image) -> SafeString:
        return format_html(
            '<img class="rk-thumbnail" src="{}" alt="{}" loading="lazy">', image.url(300), image.alt
        )

    @display(description="Pixels")
    def measures(self, image: Image) -> str:
        return f"{image.width:,} × {image.height:,}"

    @admin.action(description="Put away: offer it no longer", permissions=["change"])
    def put_away(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        number = library.put_away(queryset.values_list("pk", flat=True), clock.now())
        messages.success(request, f"{number} put away. Messages that show them still do.")

    @admin.action(description="Offer it again", permissions=["change"])
    def put_back(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        messages.success(request, f"{library.put_back(queryset.values_list('pk', flat=True))} offered again.")


def _told(image: Image) -> dict[str, Any]:
    return {
        "url": image.url(),
        "small": image.url(300),
        "name": image.name,
        "alt": image.alt,
        "width": image.width,
        "height": image.height,
    }


def _report(request: HttpRequest, new: int, known: int, refused: list[str]) -> None:
    if new:
        plural = "pictures were" if new > 1 else "picture was"
        messages.success(request, f"{new} {plural} added. Say below what each shows, then save.")
    if known:
        messages.info(request, f"{known} stood in the library already.")
    for words in refused[:TOLD_ONE_BY_ONE]:
        messages.error(request, words)
    if len(refused) > TOLD_ONE_BY_ONE:
        messages.error(request, f"And {len(refused) - TOLD_ONE_BY_ONE} more were not taken.")
    if not (new or known or refused):
        messages.warning(request, "Choose pictures first, or drop them on the field.")
