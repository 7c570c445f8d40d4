"""Two content security policies: the admin's, which allows what its theme needs, and a strict one."""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, reverse


class PolicyMiddleware(CSPMiddleware):
    """A view that names a policy of its own (a preview, say) keeps it, in the admin, too."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None and parts.replace is None and is_admin(request):
            parts.config = dict[str, Any](settings.ADMIN_SECURITY_POLICY)
        return parts


def is_admin(request: HttpRequest) -> bool:
    try:
        return request.path.startswith(reverse("admin:index"))
    except NoReverseMatch:
        return False
