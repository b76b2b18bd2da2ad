"""Single sign-on from environment variables alone: OpenID Connect providers as django-allauth's settings.

Several providers are a JSON list in ``OIDC_PROVIDERS``; a single one may be spelt out as ``OIDC_KIND``,
``OIDC_ISSUER``, ``OIDC_CLIENT_ID``, ``OIDC_CLIENT_SECRET``, ``OIDC_NAME``, ``OIDC_GROUP_CLAIM``, ``OIDC_GROUPS``
and ``OIDC_TRUST_EMAIL``. An entry's fields:

- ``client_id``, ``client_secret``: as registered at the provider, with the redirect URI
  ``<public URL>/accounts/oidc/<id>/login/callback/``.
- ``kind``: ``google``, ``microsoft``, ``okta``, ``keycloak`` or ``oidc`` (any other).
- ``issuer``: the issuer's URL; Google has but one, Microsoft's is
  ``https://login.microsoftonline.com/<tenant>/v2.0``.
- ``id``, ``name``: in the URL, and on the button; as the kind unless given.
- ``group_claim``: the claim that lists a person's groups; as the kind unless given.
- ``groups``: what a group gives, see ``accounting.pages.groups``.
- ``trust_email``: whether this provider's verified e-mail addresses may open an account made beforehand. Leave it
  off where people choose their own address at the provider.
- ``scopes``: instead of ``openid profile email``.

Source: https://docs.allauth.org/en/latest/socialaccount/providers/openid_connect.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

KINDS: Final[dict[str, dict[str, str]]] = {
    "google": {"name": "Google", "issuer": "https://accounts.google.com", "group_claim": ""},
    "microsoft": {"name": "Microsoft", "issuer": "", "group_claim": "groups"},
    "okta": {"name": "Okta", "issuer": "", "group_claim": "groups"},
    "keycloak": {"name": "Keycloak", "issuer": "", "group_claim": "groups"},
    "oidc": {"name": "single sign-on", "issuer": "", "group_claim": "groups"},
}
_FIELDS: Final = frozenset(
    {"kind", "id", "name", "issuer", "client_id", "client_secret", "group_claim", "groups", "trust_email", "scopes"}
)
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def socialaccount_providers(environment: Mapping[str, str]) -> dict[str, Any]:
    """``SOCIALACCOUNT_PROVIDERS`` for the providers that ``environment`` names. Raises ImproperlyConfigured."""
    apps = [_app(entry) for entry in _entries(environment)]
    ids = [app["provider_id"] for app in apps]
    if len(ids) != len(set(ids)):
        raise ImproperlyConfigured(f"OIDC_PROVIDERS: each provider needs an id of its own, not {ids}.")
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": apps}} if apps else {}


def _entries(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    if listed := environment.get("OIDC_PROVIDERS", ""):
        entries = _json("OIDC_PROVIDERS", listed, list)
        if not all(isinstance(entry, dict) for entry in entries):
            raise ImproperlyConfigured("OIDC_PROVIDERS must be a JSON list of objects.")
        return list(entries)
    if not environment.get("OIDC_CLIENT_ID"):
        return []
    entry: dict[str, Any] = {
        name: environment[f"OIDC_{name.upper()}"]
        for name in ("kind", "id", "name", "issuer", "client_id", "client_secret", "group_claim")
        if environment.get(f"OIDC_{name.upper()}")
    }
    entry["groups"] = _json("OIDC_GROUPS", environment.get("OIDC_GROUPS") or "{}", dict)
    entry["trust_email"] = environment.get("OIDC_TRUST_EMAIL", "").lower() in {"1", "true", "yes", "on"}
    return [entry]


def _app(entry: dict[str, Any]) -> dict[str, Any]:
    if unknown := entry.keys() - _FIELDS:
        raise ImproperlyConfigured(f"OIDC_PROVIDERS: unknown fields {sorted(unknown)}.")
    kind = entry.get("kind", "oidc")
    if kind not in KINDS:
        raise ImproperlyConfigured(f"OIDC_PROVIDERS: kind is one of {', '.join(KINDS)}, not {kind!r}.")
    filled = {**KINDS[kind], "id": kind, **entry}
    if missing := [name for name in ("issuer", "client_id", "client_secret") if not filled.get(name)]:
        raise ImproperlyConfigured(f"OIDC_PROVIDERS: the {kind} provider needs {', '.join(missing)}.")
    issuer = urlsplit(filled["issuer"])
    if issuer.scheme != "https" and issuer.hostname not in _LOCAL:
        raise ImproperlyConfigured(f"OIDC_PROVIDERS: the issuer of the {kind} provider is not an https URL.")
    groups = filled.get("groups", {})
    if not isinstance(groups, dict) or not all(isinstance(value, str) for value in groups.values()):
        raise ImproperlyConfigured("OIDC_PROVIDERS: groups is an object of group names and what they give.")
    app: dict[str, Any] = {
        "provider_id": filled["id"],
        "name": filled["name"],
        "client_id": filled["client_id"],
        "secret": filled["client_secret"],
        "settings": {
            "server_url": filled["issuer"].rstrip("/"),
            "group_claim": filled["group_claim"],
            "groups": groups,
            "email_authentication": bool(filled.get("trust_email", False)),
        },
    }
    if scopes := filled.get("scopes"):
        app["settings"]["scope"] = list(scopes)
    return app


def _json(name: str, text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not JSON: {error}.") from None
    if not isinstance(value, kind):
        raise ImproperlyConfigured(f"{name} must be a JSON {'list' if kind is list else 'object'}.")
    return value
