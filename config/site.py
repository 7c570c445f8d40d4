"""The admin's frame: its name, its order, its home page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _item(title: str, icon: str, url: str, permission: str = "") -> dict[str, Any]:
    item: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(url)}
    if permission:
        item["permission"] = _holders_of(permission)
    return item


def _holders_of(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


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
        "navigation": [
            {"items": [_item("Home", "home", "admin:index")]},
            {
                "title": "What we say",
                "separator": True,
                "items": [
                    _item(
                        "Campaigns",
                        "campaign",
                        "admin:campaigns_campaign_changelist",
                        "campaigns.view_campaign",
                    ),
                    _item(
                        "Calendar",
                        "calendar_month",
                        "admin:campaigns_campaign_calendar",
                        "campaigns.view_campaign",
                    ),
                    _item(
                        "Templates", "draft", "admin:campaigns_template_changelist", "campaigns.view_template"
                    ),
                    _item("Offers", "sell", "admin:campaigns_offer_changelist", "campaigns.view_offer"),
                    _item(
                        "Articles and guides",
                        "menu_book",
                        "admin:campaigns_contentitem_changelist",
                        "campaigns.view_contentitem",
                    ),
                    _item("Surveys", "quiz", "admin:campaigns_survey_changelist", "campaigns.view_survey"),
                    _item(
                        "Deliveries",
                        "outgoing_mail",
                        "admin:campaigns_delivery_changelist",
                        "campaigns.view_delivery",
                    ),
                    _item(
                        "Decisions", "rule", "admin:campaigns_decision_changelist", "campaigns.view_decision"
                    ),
                    _item(
                        "Frequency limits",
                        "speed",
                        "admin:campaigns_frequencysettings_changelist",
                        "campaigns.view_frequencysettings",
                    ),
                    _item(
                        "Saved blocks",
                        "widgets",
                        "admin:campaigns_savedblock_changelist",
                        "campaigns.view_savedblock",
                    ),
                    _item(
                        "Brand kit",
                        "palette",
                        "admin:campaigns_brandkit_changelist",
                        "campaigns.view_brandkit",
                    ),
                    _item(
                        "Pictures",
                        "photo_library",
                        "admin:campaigns_image_changelist",
                        "campaigns.view_image",
                    ),
                    _item("Senders", "badge", "admin:campaigns_sender_changelist", "campaigns.view_sender"),
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [
                    _item("Contacts", "group", "admin:crm_contact_changelist", "crm.view_contact"),
                    _item("Companies", "domain", "admin:crm_company_changelist", "crm.view_company"),
                    _item("Segments", "filter_alt", "admin:crm_segment_changelist", "crm.view_segment"),
                    _item(
                        "At risk",
                        "hourglass_bottom",
                        "admin:crm_risksettings_changelist",
                        "crm.view_risksettings",
                    ),
                    _item("Leads", "view_kanban", "admin:crm_lead_board", "crm.view_lead"),
                    _item(
                        "Lead definitions",
                        "flag",
                        "admin:crm_leaddefinition_changelist",
                        "crm.view_leaddefinition",
                    ),
                    _item("Statuses", "workspace_premium", "admin:crm_status_changelist", "crm.view_status"),
                    _item("Tasks", "task_alt", "admin:crm_task_changelist", "crm.view_task"),
                    _item("Notices", "notifications", "admin:crm_notice_changelist", "crm.view_notice"),
                    _item("Own fields", "edit_note", "admin:crm_ownfield_changelist", "crm.view_ownfield"),
                ],
            },
            {
                "title": "Shop",
                "separator": True,
                "items": [
                    _item("Carts", "shopping_cart", "admin:tracking_cart_changelist", "tracking.view_cart"),
                    _item("Orders", "receipt_long", "admin:crm_order_changelist", "crm.view_order"),
                    _item("Products", "headphones", "admin:crm_product_changelist", "crm.view_product"),
                    _item(
                        "Recommendations",
                        "auto_awesome",
                        "admin:campaigns_recommendationrun_changelist",
                        "campaigns.view_recommendationrun",
                    ),
                ],
            },
            {
                "title": "Workings",
                "separator": True,
                "collapsible": True,
                "items": [
                    _item(
                        "Shop settings",
                        "storefront",
                        "admin:crm_shopsettings_changelist",
                        "crm.view_shopsettings",
                    ),
                    _item("Server keys", "key", "admin:crm_serverkey_changelist", "crm.view_serverkey"),
                    _item(
                        "Schedule",
                        "schedule",
                        "admin:django_celery_beat_periodictask_changelist",
                        "django_celery_beat.view_periodictask",
                    ),
                    _item(
                        "Came in",
                        "inbox",
                        "admin:tracking_inboundevent_changelist",
                        "tracking.view_inboundevent",
                    ),
                    _item("Purposes", "fact_check", "admin:crm_purpose_changelist", "crm.view_purpose"),
                    _item(
                        "Consent", "history_edu", "admin:crm_consentevent_changelist", "crm.view_consentevent"
                    ),
                    _item(
                        "Suppressions", "block", "admin:crm_suppression_changelist", "crm.view_suppression"
                    ),
                    _item("Users", "person", "admin:auth_user_changelist", "auth.view_user"),
                    _item("Groups", "groups", "admin:auth_group_changelist", "auth.view_group"),
                ],
            },
        ],
    },
}
