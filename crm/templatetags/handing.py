"""Filters of the pages about hand-overs."""

from __future__ import annotations

from datetime import timedelta

from django import template

register = template.Library()


@register.filter
def desk_hours(span: timedelta | None) -> str:
    """A span as colleagues say it: "35 min", "2 h", "2 h 5 min"; a dash where there is none."""
    if span is None:
        return "–"
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes or not hours else ""]
    return " ".join(part for part in parts if part)
