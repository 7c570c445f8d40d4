"""The public pages a message links to. GET and HEAD show; only a POST, by the person's button, changes.

Whoever opens a forwarded message learns a masked address and nothing else. No script, no cookie, no log-in.
"""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm.kernel import clock, colours, tokens
from crm.people import links, preferences
from crm.shop.public_pages import page, unknown_link
from crm.shop.settings import this_shop

_PLAIN = "#1f6f5c"


@csrf_exempt  # The token in the address is the proof; mail providers send nothing else (RFC 8058).
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    mailed = links.read(tokens.Purpose.UNSUBSCRIBE, token)
    if mailed is None:
        return unknown_link()
    if request.method == "POST":
        here = preferences.stop(mailed, clock.now(), _who(request))
        return page("crm/unsubscribed.html", here=here, preferences_url=_preferences(mailed))
    return page(
        "crm/unsubscribe.html", here=preferences.standing(mailed), preferences_url=_preferences(mailed)
    )


@csrf_exempt  # The token in the address is the proof, and there is no session to ride on.
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, token: str) -> HttpResponse:
    mailed = links.read(tokens.Purpose.PREFERENCES, token)
    if mailed is None:
        return unknown_link()
    now = clock.now()
    saved = request.method == "POST" and _chosen(request, mailed, now)
    return page(
        "crm/preferences.html",
        here=preferences.standing(mailed),
        rests_until=preferences.rests_until(mailed, now),
        rest_days=preferences.REST.days,
        saved=saved,
    )


def _chosen(request: HttpRequest, mailed: links.Mailed, now: datetime) -> bool:
    """Do what the pressed button says; whether one was."""
    if "everything" in request.POST:
        preferences.stop(mailed, now, _who(request), everything=True)
    elif "rest" in request.POST:
        preferences.rest(mailed, now)
    elif "go_on" in request.POST:
        preferences.go_on(mailed, now)
    elif "save" in request.POST:
        preferences.choose(mailed, request.POST.getlist("purpose"), now, _who(request))
    else:
        return False
    return True


@require_safe
def why(request: HttpRequest, token: str) -> HttpResponse:
    mailed = links.read(tokens.Purpose.WHY, token)
    if mailed is None:
        return unknown_link()
    return page(
        "crm/why.html",
        here=preferences.standing(mailed),
        agreement=preferences.agreement(mailed),
        preferences_url=_preferences(mailed),
    )


@require_safe
def look(request: HttpRequest) -> HttpResponse:
    """The style sheet of the public pages, in the shop's colour."""
    given = this_shop().colour
    colour = given if colours.is_colour(given) else _PLAIN
    css = render_to_string("crm/look.css", {"colour": colour, "on_colour": colours.readable_on(colour)})
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response


def _preferences(mailed: links.Mailed) -> str:
    return links.preferences_url(*mailed)


def _who(request: HttpRequest) -> dict[str, str]:
    agent = request.headers.get("User-Agent", "").replace("\0", "")
    return {"ip": request.META.get("REMOTE_ADDR", ""), "user_agent": agent[:300], "actor": "the person"}
