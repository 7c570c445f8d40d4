"""Addresses of the pages: the admin, the process's health, and what each app publishes in its own `urls`."""

from importlib.util import find_spec

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path


def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers; it says nothing about the database or the broker."""
    return HttpResponse("ok\n", content_type="text/plain")


def favicon(_request: HttpRequest) -> HttpResponse:
    """Browsers ask for it under this name on pages that name no other."""
    return redirect(static("rekindle/flame.svg"))


admin.site.site_title = admin.site.site_header = "Rekindle"
admin.site.index_title = "Home"

public = [
    path("favicon.ico", favicon),
    path("healthz", healthz),
    *(
        path("", include(f"{app}.urls"))
        for app in ("crm", "tracking", "campaigns")
        if find_spec(f"{app}.urls")
    ),
]
urlpatterns = [path("admin/", admin.site.urls), *public]
