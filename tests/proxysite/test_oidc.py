from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from django.core.exceptions import ImproperlyConfigured

from proxysite.oidc import socialaccount_providers

CLIENT = {"client_id": "tollgate", "client_secret": "s3cret"}


def _apps(*entries: Mapping[str, object]) -> list[dict[str, object]]:
    built = socialaccount_providers({"OIDC_PROVIDERS": json.dumps(entries)})
    apps: list[dict[str, object]] = built["openid_connect"]["APPS"]
    return apps


def test_nothing_set_nothing_offered() -> None:
    assert socialaccount_providers({}) == {}


@pytest.mark.parametrize(
    ("entry", "server", "claim"),
    [
        ({"kind": "google"}, "https://accounts.google.com", ""),
        (
            {"kind": "microsoft", "issuer": "https://login.microsoftonline.com/t/v2.0"},
            "https://login.microsoftonline.com/t/v2.0",
            "groups",
        ),
        ({"kind": "okta", "issuer": "https://acme.okta.com/"}, "https://acme.okta.com", "groups"),
        (
            {"kind": "keycloak", "issuer": "https://id.example.com/realms/a", "group_claim": "realm_access.roles"},
            "https://id.example.com/realms/a",
            "realm_access.roles",
        ),
        ({"issuer": "http://localhost:9000"}, "http://localhost:9000", "groups"),
    ],
)
def test_each_kind_of_provider(entry: dict[str, object], server: str, claim: str) -> None:
    (app,) = _apps({**CLIENT, **entry})
    settings = app["settings"]
    assert isinstance(settings, dict)
    assert settings["server_url"] == server
    assert settings["group_claim"] == claim
    assert settings["email_authentication"] is False


def test_one_provider_may_be_spelt_out() -> None:
    built = socialaccount_providers(
        {
            "OIDC_KIND": "okta",
            "OIDC_ISSUER": "https://acme.okta.com",
            "OIDC_CLIENT_ID": "tollgate",
            "OIDC_CLIENT_SECRET": "s3cret",
            "OIDC_NAME": "Acme",
            "OIDC_GROUPS": '{"eng": "Platform"}',
            "OIDC_TRUST_EMAIL": "true",
        }
    )
    (app,) = built["openid_connect"]["APPS"]
    assert (app["provider_id"], app["name"], app["secret"]) == ("okta", "Acme", "s3cret")
    assert app["settings"]["groups"] == {"eng": "Platform"}
    assert app["settings"]["email_authentication"] is True
    assert built["openid_connect"]["OAUTH_PKCE_ENABLED"] is True


def test_two_of_a_kind_need_names_of_their_own() -> None:
    okta = {**CLIENT, "kind": "okta", "issuer": "https://acme.okta.com"}
    with pytest.raises(ImproperlyConfigured, match="an id of its own"):
        _apps(okta, okta)
    assert [app["provider_id"] for app in _apps(okta, {**okta, "id": "okta2"})] == ["okta", "okta2"]


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"OIDC_PROVIDERS": "{"}, "not JSON"),
        ({"OIDC_PROVIDERS": "{}"}, "must be a JSON list"),
        ({"OIDC_PROVIDERS": "[1]"}, "list of objects"),
        ({"OIDC_PROVIDERS": '[{"kind": "facebook"}]'}, "kind is one of"),
        ({"OIDC_PROVIDERS": '[{"kind": "okta", "client_id": "x"}]'}, "needs issuer, client_secret"),
        ({"OIDC_PROVIDERS": '[{"kind": "google", "secret": "x"}]'}, "unknown fields"),
        ({"OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y", "OIDC_ISSUER": "http://id.example.com"}, "not an https"),
        ({"OIDC_CLIENT_ID": "x", "OIDC_GROUPS": "[]"}, "OIDC_GROUPS must be a JSON object"),
        (
            {"OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y", "OIDC_KIND": "google", "OIDC_GROUPS": '{"a": 1}'},
            "groups is an object",
        ),
    ],
)
def test_what_is_wrong_is_said_at_the_start(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint):
        socialaccount_providers(environment)


def test_no_complaint_holds_a_secret() -> None:
    with pytest.raises(ImproperlyConfigured) as told:
        _apps({**CLIENT, "kind": "okta"})
    assert "s3cret" not in str(told.value)
