"""D1: the hosts that strangers are given serve no admin and set no session."""

import pytest
from django.test import Client, override_settings

HOSTS = override_settings(
    REKINDLE_ADMIN_URL="https://crm.shop.test",
    REKINDLE_PUBLIC_URL="https://m.shop.test",
    REKINDLE_COLLECT_URL="https://t.shop.test",
    ALLOWED_HOSTS=["crm.shop.test", "m.shop.test", "t.shop.test"],
    SECURE_SSL_REDIRECT=False,
)
pytestmark = pytest.mark.django_db


@HOSTS
@pytest.mark.parametrize("host", ["m.shop.test", "t.shop.test", "M.shop.test:443"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/crm/contact/", "/admin/jsi18n/"])
def test_there_is_no_admin_on_a_public_host(host: str, path: str) -> None:
    answer = Client(headers={"host": host}).get(path)
    assert answer.status_code == 404
    assert not answer.cookies


@HOSTS
def test_what_strangers_need_is_there() -> None:
    client = Client(headers={"host": "m.shop.test"})
    assert client.get("/healthz").status_code == 200
    assert client.get("/look.css").status_code == 200
    assert client.post("/api/v1/orders", b"{}", content_type="application/json").status_code == 401


@HOSTS
def test_the_admin_is_on_its_own_host() -> None:
    assert Client(headers={"host": "crm.shop.test"}).get("/admin/login/").status_code == 200


@HOSTS
@pytest.mark.parametrize("host", ["evil.test", "crm.shop.test.evil.test", "crm.shop.test@evil.test", "[::1"])
def test_a_host_that_is_not_ours_is_refused(host: str) -> None:
    assert Client(headers={"host": host}).get("/admin/login/").status_code == 400


@override_settings(REKINDLE_ADMIN_URL="https://one.test", REKINDLE_PUBLIC_URL="https://one.test")
@override_settings(ALLOWED_HOSTS=["one.test"], SECURE_SSL_REDIRECT=False)
def test_where_one_host_serves_everything_the_admin_stays() -> None:
    assert Client(headers={"host": "one.test"}).get("/admin/login/").status_code == 200
