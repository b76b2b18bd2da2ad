"""How the admin looks, and what its sidebar leads to (django-unfold)."""

from typing import Any, Final

from django.templatetags.static import static
from django.urls import reverse_lazy


def _item(title: str, icon: str, url: str, permission: str) -> dict[str, Any]:
    link = reverse_lazy(f"admin:{url}")
    # The board's path begins those of the pages beside it, so it alone is told by more than that.
    beside = ("explain/", "test/", "conformance/") if url == "routing_tier_changelist" else ()
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "active": lambda request: (
            request.path.startswith(str(link)) and not request.path.removeprefix(str(link)).startswith(beside)
        ),
        "permission": lambda request: request.user.has_perm(permission),
    }


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Tollgate",
    "SITE_HEADER": "Tollgate",
    "SITE_SUBHEADER": "Every request, a key; every token, the ledger",
    "SITE_SYMBOL": "toll",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("portal/favicon.svg")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("routing/admin.css")],
    "SCRIPTS": [lambda request: static("routing/admin.js")],
    "COLORS": {
        "primary": {
            "50": "#effaf6",
            "100": "#d8f3e9",
            "200": "#b4e6d6",
            "300": "#82d2bb",
            "400": "#5cc9ad",
            "500": "#2d9a80",
            "600": "#127c67",
            "700": "#0b6553",
            "800": "#084c3f",
            "900": "#073f35",
            "950": "#03241e",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Routing",
                "items": [
                    _item("Mapping board", "alt_route", "routing_tier_changelist", "routing.view_tier"),
                    _item("Explain", "help", "routing_tier_explain", "routing.view_tier"),
                    _item("Test", "experiment", "routing_tier_test", "routing.change_tier"),
                    _item("Conformance", "verified", "routing_tier_conformance", "routing.view_tier"),
                    _item("Providers", "dns", "routing_provider_changelist", "routing.view_provider"),
                    _item("Models", "memory", "routing_model_changelist", "routing.view_model"),
                    _item("Revisions", "history", "routing_revision_changelist", "routing.view_revision"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _item("People", "person", "accounting_user_changelist", "accounting.view_user"),
                    _item("Teams", "groups", "accounting_team_changelist", "accounting.view_team"),
                    _item("Keys", "key", "accounting_key_changelist", "accounting.view_key"),
                ],
            },
            {
                "title": "Money",
                "items": [
                    _item("Ledger", "receipt_long", "accounting_ledgerentry_changelist", "accounting.view_ledgerentry"),
                    _item("Limits and budgets", "speed", "accounting_limit_changelist", "accounting.view_limit"),
                    _item("Prices", "sell", "accounting_price_changelist", "accounting.view_price"),
                ],
            },
            {
                "title": "Record",
                "items": [_item("Audit log", "policy", "auditlog_logentry_changelist", "auditlog.view_logentry")],
            },
        ],
    },
}
