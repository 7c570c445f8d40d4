"""What stands above a list."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Q

from crm.kernel.long_lists import without_place
from crm.models import SavedView

register = template.Library()


@register.inclusion_tag("crm/lists/views.html", takes_context=True)
def saved_views(context: dict[str, Any]) -> dict[str, Any]:
    """The views this person may choose of this list, which of them it shows, and the form that saves one."""
    request, changes = context["request"], context["cl"]
    now = without_place(request.GET.urlencode())
    table = changes.opts.label_lower
    mine = SavedView.objects.filter(Q(made_by=request.user.pk) | Q(is_shared=True), table=table)
    views = [
        {"view": view, "is_current": _same(without_place(view.query), now)}
        for view in mine.order_by("is_shared", "name")
    ]
    return {
        "views": views,
        "table": table,
        "query": now.urlencode(),
        "may_save": bool(now) and not any(one["is_current"] for one in views),
        "may_share": request.user.has_perm("crm.share_savedview"),
        "is_whole": not now,
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }


def _same(one: Any, other: Any) -> bool:
    return sorted(one.lists()) == sorted(other.lists())
