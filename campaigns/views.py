"""What messages fetch: the pictures of the library. They carry nothing that tells who looks."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.http.request import split_domain_port
from django.views.decorators.http import require_safe

from campaigns.models.images import stored_at

TYPES = {"jpg": "image/jpeg", "png": "image/png"}


@require_safe
def image(request: HttpRequest, token: str, width: int, extension: str) -> HttpResponseBase:
    """A picture for an `<img>`, never a page of its own: opened directly it is saved, not shown."""
    if _is_the_admins(request):
        raise Http404
    try:
        file = default_storage.open(stored_at(token, width, extension))
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        file, as_attachment=True, filename=f"picture-{width}.{extension}", content_type=TYPES[extension]
    )
    # Its address is made at random and its content never changes.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


def _is_the_admins(request: HttpRequest) -> bool:
    """Whether this host is the admin's; where one host serves everything, it is not the admin's alone."""
    admin, public = (
        urlsplit(url).hostname for url in (settings.REKINDLE_ADMIN_URL, settings.REKINDLE_PUBLIC_URL)
    )
    return admin != public and split_domain_port(request.get_host())[0] == admin
