"""Every address of the admin: shut for strangers, for colleagues without permission, and harmless to GET."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, reverse

from config import schedule

OPEN = {"login", "logout", "jsi18n"}
# Pages of one's own, which every colleague has.
OWN = {"index", "password_change", "password_change_done", "search", "toggle_sidebar", "app_list"}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE)\b(?!.*django_session)", re.IGNORECASE | re.DOTALL)


def patterns(found: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for one in found:
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, prefix + str(one.pattern))
        elif isinstance(one, URLPattern) and one.name:
            yield one.name, prefix + str(one.pattern)


ALL = sorted(set(patterns(admin.site.get_urls())))


def address(name: str, route: str, world: Any) -> str:
    """The address with its parameters filled from rows there are; empty where there is none."""
    values: dict[str, Any] = {}
    for parameter in PARAMETER.findall(route):
        if parameter in ("object_id", "pk"):
            row = world.row(model_of(name))
            if row is None:
                return ""
            values[parameter] = row.pk
        elif parameter == "key":
            values[parameter] = "campaigns.abandoned_cart"
        elif parameter == "app_label":
            values[parameter] = "crm"
        elif parameter == "content_type_id":
            return ""
        else:
            values[parameter] = "1"
    return reverse(f"admin:{name}", kwargs=values)


def model_of(name: str) -> type:
    app = next(app for app in sorted(apps.app_configs, key=len, reverse=True) if name.startswith(f"{app}_"))
    return apps.get_model(app, name.removeprefix(f"{app}_").split("_")[0])


def addresses(world: Any, without: set[str]) -> list[str]:
    return [url for name, route in ALL if name not in without and (url := address(name, route, world))]


def written(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if WRITES.match(query["sql"])]


def test_the_enumeration_finds_the_pages_of_every_app(world):
    names = {name for name, _route in ALL}
    assert {
        "campaigns_campaign_act",
        "campaigns_campaign_try",
        "campaigns_delivery_hold",
        "campaigns_template_preview",
        "crm_import_begin",
        "crm_serverkey_signing_key",
        "tracking_inboundevent_changelist",
        "django_celery_beat_periodictask_changelist",
    } <= names
    assert len(addresses(world, OPEN)) > 110


def test_a_stranger_is_sent_to_the_login(world, client):
    wrong = []
    for url in addresses(world, OPEN):
        for ask in (client.get, client.post):
            answer = ask(url)
            if answer.status_code != 302 or "/admin/login/" not in answer["Location"]:
                wrong.append((url, answer.status_code))
    assert wrong == []


@pytest.mark.proof
def test_a_colleague_without_permission_is_refused(world, sten):
    wrong = []
    for url in addresses(world, OPEN | OWN):
        with CaptureQueriesContext(connection) as queries:
            answers = {ask(url).status_code for ask in (sten.get, sten.post)}
        if not answers <= {403, 404, 405} or written(queries):
            wrong.append((url, answers, written(queries)))
    assert wrong == []


@pytest.mark.proof
def test_asking_changes_nothing(world, ada):
    ada.get(reverse("admin:index"))
    wrong = []
    for url in addresses(world, OPEN):
        with CaptureQueriesContext(connection) as queries:
            answer = ada.get(url)
        if answer.status_code >= 500 or written(queries):
            wrong.append((url, answer.status_code, written(queries)))
    assert wrong == []


@pytest.mark.proof
def test_who_may_only_look_changes_nothing(world, vera):
    posted = {"do": "stop", "hold": "yes", "to": "again", "post": "yes", "_save": "1"}
    wrong = []
    for url in addresses(world, OPEN | OWN):
        with CaptureQueriesContext(connection) as queries:
            answer = vera.post(url, posted)
        if answer.status_code >= 500 or written(queries):
            wrong.append((url, answer.status_code, written(queries)))
    assert wrong == []


def test_actions_of_lists_need_the_permission_they_name(world, vera):
    schedule.ensure()
    for url, action in (
        ("admin:campaigns_delivery_changelist", "close"),
        ("admin:tracking_inboundevent_changelist", "read_again"),
        ("admin:crm_serverkey_changelist", "revoke"),
        ("admin:django_celery_beat_periodictask_changelist", "disable_tasks"),
        ("admin:crm_contact_changelist", "delete_selected"),
    ):
        row = world.row(model_of(url.removeprefix("admin:")))
        with CaptureQueriesContext(connection) as queries:
            vera.post(reverse(url), {"action": action, "_selected_action": [str(row.pk)]})
        assert written(queries) == [], action


@pytest.mark.parametrize(
    "url",
    [
        "admin:auth_user_changelist|user_permissions__codename=x&password__startswith=m",
        "admin:crm_contact_changelist|owner__password__startswith=m",
        "admin:crm_serverkey_changelist|sha256__startswith=x",
        "admin:campaigns_delivery_changelist|campaign__owner__password__startswith=m",
    ],
)
def test_fields_that_are_nobodys_business_cannot_be_guessed_through_lookups(world, ada, url):
    name, query = url.split("|")
    assert ada.get(f"{reverse(name)}?{query}").status_code in (302, 400)
