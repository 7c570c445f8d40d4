"""The hosts that strangers are given know no admin: not its pages, not its log-in, not that there is one."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.http.request import split_domain_port


class PublicHostMiddleware:
    """On the hosts of the public pages and of the collector only public addresses resolve.

    Where one host serves everything, because its owner has only one, nothing is taken away.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        host, _port = split_domain_port(request.get_host())
        if host in _public_hosts():
            request.urlconf = "config.public_urls"
        return self.get_response(request)


def _public_hosts() -> set[str]:
    strangers = {settings.REKINDLE_PUBLIC_URL, settings.REKINDLE_COLLECT_URL}
    return {_name(url) for url in strangers} - {_name(settings.REKINDLE_ADMIN_URL)}


def _name(url: str) -> str:
    return urlsplit(url).hostname or ""
