"""C2: who may post without a CSRF token is a short list, and nothing joins it unseen."""

from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver

# Each is opened by a token in its address or a key in its header; none looks at a cookie.
EXEMPT = {
    *("u/<str:token>", "p/<str:token>", "s/<str:token>"),
    *("api/v1/orders", "api/v1/products", "api/v1/contacts", "api/v1/campaigns/<number>/enrol"),
}
# The description of the API is read, never posted to.
READ_ONLY = {"api/v1/openapi.json", "api/v1/"}


def exempt(patterns: Any, prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from exempt(pattern.url_patterns, path)
        elif getattr(pattern.callback, "csrf_exempt", False):
            yield path


def test_the_views_that_take_posts_without_a_token_are_known() -> None:
    found = {path for path in exempt(get_resolver().url_patterns) if not path.startswith("admin/")}
    tracking = {path for path in found if path.startswith("api/v1/")} - EXEMPT - READ_ONLY
    assert tracking <= {"api/v1/events", "api/v1/carts"}
    assert found - tracking - READ_ONLY == EXEMPT


def test_nothing_in_the_admin_does() -> None:
    inside = {path for path in exempt(get_resolver().url_patterns) if path.startswith("admin/")}
    assert inside == set()
