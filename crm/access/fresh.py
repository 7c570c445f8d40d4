"""Before what cannot be taken back: the password once more, unless it was typed a moment ago.

A view asks in one line, after its permissions and before its work:

    if page := fresh.password_page(request, "to erase somebody", clock.now()):
        return page

Logging in counts. What was being sent is sent on once the password is right.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from crm.access import passwords

HOLDS = timedelta(minutes=10)
FIELD, ASKED = "own_password", "own_password_for"
_MARK = "password_at"


def mark(request: HttpRequest, now: datetime) -> None:
    """Whoever sits there has typed their password now."""
    request.session[_MARK] = now.timestamp()


def is_fresh(request: HttpRequest, now: datetime) -> bool:
    """Whether the password was typed in the last ten minutes."""
    at = request.session.get(_MARK)
    return at is not None and 0 <= now.timestamp() - at <= HOLDS.total_seconds()


def password_page(
    request: HttpRequest, what: str, now: datetime, *, back: str = "", then: str = ""
) -> HttpResponse | None:
    """The page that asks for the password; None where none is needed (any more): go on.

    `what` ends the sentence "Type your password …"; `back` is where to go instead, `then` where to go after,
    in place of doing at once what was asked for.
    """
    # The reports of errors show nothing of what is typed here.
    request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
    if not is_fresh(request, now):
        if request.method != "POST" or FIELD not in request.POST:
            return _page(request, what, back)
        try:
            passwords.check(request.user, request.POST[FIELD], now)
        except passwords.Wrong as wrong:
            status = 429 if isinstance(wrong, passwords.TooOften) else 400
            return _page(request, what, back, str(wrong), status)
        mark(request, now)
    if request.method == "POST" and FIELD in request.POST:
        if then:
            messages.success(request, "Your password is confirmed. Now once more, please.")
            return redirect(then)
        if request.POST.get(ASKED) == "GET":
            return redirect(request.get_full_path())
    return None


def _page(request: HttpRequest, what: str, back: str, problem: str = "", status: int = 200) -> HttpResponse:
    """What was being sent goes along, but no other password that stands in it, and no file."""
    asked = request.POST.get(ASKED, "POST") if FIELD in request.POST else request.method
    along = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if "password" not in name and name != "csrfmiddlewaretoken"
    ]
    told = {
        "title": "Your password once more",
        "what": what,
        "back": back,
        "problem": problem,
        "minutes": int(HOLDS.total_seconds() // 60),
        "asked": asked,
        "along": along,
        "field": FIELD,
        "field_for": ASKED,
    }
    return render(request, "crm/access/password.html", admin.site.each_context(request) | told, status=status)
