"""The admin's frame: its name, its order, its home page."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _item(title: str, icon: str, url: str, *permissions: str) -> dict[str, Any]:
    """A page, for whoever holds one of these permissions; of none: for everybody."""
    item: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(url)}
    if permissions:
        item["permission"] = _holders_of(permissions)
    return item


def _holders_of(permissions: Sequence[str]) -> Callable[[HttpRequest], bool]:
    return lambda request: any(request.user.has_perm(one) for one in permissions)


def _list(title: str, icon: str, model: str) -> dict[str, Any]:
    """The list of a model ("crm.contact"), for whoever may view it."""
    app, name = model.split(".")
    return _item(title, icon, f"admin:{app}_{name}_changelist", f"{app}.view_{name}")


MENU: list[dict[str, Any]] = [
    {"items": [_item("Home", "home", "admin:index")]},
    {
        "title": "What we say",
        "separator": True,
        "items": [
            _list("Campaigns", "campaign", "campaigns.campaign"),
            _item(
                "Calendar", "calendar_month", "admin:campaigns_campaign_calendar", "campaigns.view_campaign"
            ),
            _list("Templates", "draft", "campaigns.template"),
            _list("Offers", "sell", "campaigns.offer"),
            _list("Articles and guides", "menu_book", "campaigns.contentitem"),
            _list("Surveys", "quiz", "campaigns.survey"),
            _list("Deliveries", "outgoing_mail", "campaigns.delivery"),
            _list("Enrolments", "route", "campaigns.enrolment"),
            _list("Decisions", "rule", "campaigns.decision"),
            _list("Frequency limits", "speed", "campaigns.frequencysettings"),
            _list("Saved blocks", "widgets", "campaigns.savedblock"),
            _list("Brand kit", "palette", "campaigns.brandkit"),
            _list("Pictures", "photo_library", "campaigns.image"),
            _list("Senders", "badge", "campaigns.sender"),
        ],
    },
    {
        "title": "People",
        "separator": True,
        "items": [
            _list("Contacts", "group", "crm.contact"),
            _list("The same person?", "join_inner", "crm.mergeproposal"),
            _item("Requests", "contact_mail", "admin:crm_personrequest_changelist", "crm.handle_requests"),
            _list("Companies", "domain", "crm.company"),
            _list("Segments", "filter_alt", "crm.segment"),
            _list("At risk", "hourglass_bottom", "crm.risksettings"),
            _item("Leads", "view_kanban", "admin:crm_lead_board", "crm.view_lead"),
            _list("Lead definitions", "flag", "crm.leaddefinition"),
            _list("Hand-overs", "handshake", "crm.handover"),
            _list("Who gets leads", "alt_route", "crm.assignmentrule"),
            _list("Who is away", "event_busy", "crm.absence"),
            _list("Statuses", "workspace_premium", "crm.status"),
            _list("Tasks", "task_alt", "crm.task"),
            _list("Notices", "notifications", "crm.notice"),
            _list("Own fields", "edit_note", "crm.ownfield"),
            _list("Imports", "upload_file", "crm.import"),
            _item(
                "Exports", "download", "admin:crm_export_changelist", "crm.export_contacts", "crm.view_export"
            ),
        ],
    },
    {
        "title": "Shop",
        "separator": True,
        "items": [
            _list("Carts", "shopping_cart", "tracking.cart"),
            _list("Orders", "receipt_long", "crm.order"),
            _list("What people did", "timeline", "tracking.event"),
            _list("Products", "headphones", "crm.product"),
            _list("Recommendations", "auto_awesome", "campaigns.recommendationrun"),
        ],
    },
    {
        "title": "Workings",
        "separator": True,
        "collapsible": True,
        "items": [
            _list("Shop settings", "storefront", "crm.shopsettings"),
            _list("Desk hours", "schedule", "crm.desksettings"),
            _list("Server keys", "key", "crm.serverkey"),
            _list("Schedule", "schedule", "django_celery_beat.periodictask"),
            _list("Came in", "inbox", "tracking.inboundevent"),
            _list("Purposes", "fact_check", "crm.purpose"),
            _list("Consent", "history_edu", "crm.consentevent"),
            _list("Suppressions", "block", "crm.suppression"),
            _list("Users", "person", "auth.user"),
            _list("Groups", "groups", "auth.group"),
        ],
    },
]

UNFOLD = {
    "SITE_TITLE": "Rekindle",
    "SITE_HEADER": "Rekindle",
    "SITE_SYMBOL": "local_fire_department",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": False,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("rekindle/flame.svg")}
    ],
    "STYLES": [
        lambda request: static("rekindle/admin.css"),
        lambda request: static("rekindle/rules.css"),
        lambda request: static("rekindle/brand.css"),
        lambda request: static("rekindle/launch.css"),
        lambda request: static("rekindle/flow.css"),
        lambda request: static("rekindle/desk.css"),
    ],
    "SCRIPTS": [lambda request: static("rekindle/admin.js")],
    "DASHBOARD_CALLBACK": "config.home.home",
    "COLORS": {
        "primary": {
            "50": "oklch(.982 .018 55)",
            "100": "oklch(.954 .038 55)",
            "200": "oklch(.901 .076 55)",
            "300": "oklch(.837 .128 52)",
            "400": "oklch(.75 .17 48)",
            "500": "oklch(.68 .19 43)",
            "600": "oklch(.58 .18 38)",
            "700": "oklch(.5 .16 36)",
            "800": "oklch(.42 .13 35)",
            "900": "oklch(.36 .1 35)",
            "950": "oklch(.25 .07 35)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": MENU,
    },
}
