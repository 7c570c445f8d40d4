"""What messages point to: the pictures of the library, and the page behind a survey's answers.

Pictures carry nothing that tells who looks. Of a survey, GET and HEAD show; only the person's button answers,
so that a scanner which follows the links of a message, however often, has answered nothing.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import split_domain_port
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.models.images import stored_at
from campaigns.surveys import answering
from crm.kernel import clock
from crm.kernel.allowance import Allowance
from crm.shop.public_pages import page, unknown_link
from tracking.collect.limits import network

TYPES = {"jpg": "image/jpeg", "png": "image/png"}
# Whoever tries out tokens, by the neighbourhood they come from; whoever posts again and again, by message.
_GUESSES = Allowance("survey-guesses", most=30, seconds=30)
_ANSWERS = Allowance("survey-answers", most=20, seconds=100)


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


@csrf_exempt  # The token in the address is the proof, and there is no session to ride on.
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """The question with the tapped answer chosen; by POST that answer, and after it words of their own."""
    asked, now = answering.question(token), clock.now()
    if asked is None:
        return unknown_link() if _GUESSES.take(network(_address(request)), now) else _busy()
    if request.method != "POST":
        return page("campaigns/survey.html", asked=asked)
    if not _ANSWERS.take(str(asked.delivery.pk), now):
        return _busy()
    choice = asked.choice(request.POST.get("answer", ""))
    if choice is None:
        return page("campaigns/survey.html", asked=asked, nothing_chosen=True)
    words = request.POST.get("words", "").replace("\0", "")
    answering.answer(asked, choice, words, now)
    return page("campaigns/survey_thanks.html", asked=asked, choice=choice, said=bool(words.strip()))


def _is_the_admins(request: HttpRequest) -> bool:
    """Whether this host is the admin's; where one host serves everything, it is not the admin's alone."""
    admin, public = (
        urlsplit(url).hostname for url in (settings.REKINDLE_ADMIN_URL, settings.REKINDLE_PUBLIC_URL)
    )
    return admin != public and split_domain_port(request.get_host())[0] == admin


def _busy() -> HttpResponse:
    response = page("campaigns/survey_busy.html", status=429)
    response["Retry-After"] = "30"
    return response


def _address(request: HttpRequest) -> str:
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return request.META.get("REMOTE_ADDR", "")
