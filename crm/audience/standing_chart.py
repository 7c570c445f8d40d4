"""The counts of standings as stacked areas over time, for the theme's chart."""

from __future__ import annotations

import json
from datetime import date

from crm.models import State

COLOURS = {
    State.ACTIVE: "#15803d",
    State.COOLING: "#eab308",
    State.AT_RISK: "#ea580c",
    State.LOST: "#7f8796",
}


def areas(days: list[date], series: dict[str, list[int]]) -> dict[str, str] | None:
    """What the chart takes, the worst at the bottom; None before there are two days."""
    if len(days) < 2:
        return None
    sets = [
        {
            "label": str(state.label).capitalize(),
            "data": series[state.value],
            "borderColor": COLOURS[state],
            "backgroundColor": COLOURS[state] + "99",
            "fill": "origin" if place == 0 else "-1",
            "pointRadius": 0,
            "borderWidth": 1.5,
        }
        for place, state in enumerate(reversed(State))
    ]
    options = {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "interaction": {"mode": "index", "intersect": False},
        "scales": {
            "x": {
                "ticks": {"maxTicksLimit": 7, "maxRotation": 0, "autoSkipPadding": 16},
                "grid": {"display": False},
            },
            "y": {"stacked": True, "beginAtZero": True, "ticks": {"precision": 0, "maxTicksLimit": 6}},
        },
        "plugins": {"legend": {"display": True, "reverse": True, "labels": {"boxWidth": 12}}},
    }
    data = {"labels": [f"{day.day} {day:%b %y}" for day in days], "datasets": sets}
    return {"data": json.dumps(data), "options": json.dumps(options)}
