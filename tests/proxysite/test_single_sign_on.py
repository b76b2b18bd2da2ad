"""Single sign-on, whole: by settings alone, against a provider that speaks OpenID Connect, groups to teams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from auditlog.models import LogEntry
from django.test import Client
from pytest_django import Settings

from accounting.models import User
from proxysite.oidc import socialaccount_providers
from tests.support.identity import IdentityProvider

pytestmark = pytest.mark.django_db
GROUPS = {"eng": "Platform", "eng-leads": "Platform:lead", "gateway-admins": "@admin"}


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with IdentityProvider(sub="42", email="nora@example.com", email_verified=True, preferred_username="nora") as one:
        yield one


def offer(settings: Settings, idp: IdentityProvider, kind: str, **more: object) -> None:
    entry = {"kind": kind, "issuer": idp.issuer, "client_id": "tollgate", "client_secret": "s3cret", "groups": GROUPS}
    settings.SOCIALACCOUNT_PROVIDERS = socialaccount_providers({"OIDC_PROVIDERS": json.dumps([entry | more])})


def sign_in(client: Client, kind: str) -> str:
    """Follows the whole way, as a browser would; where it ends."""
    asked = client.get(f"/accounts/oidc/{kind}/login/")
    there = urlsplit(asked.headers["location"])
    assert parse_qs(there.query)["code_challenge_method"] == ["S256"]
    back = urlsplit(httpx.get(asked.headers["location"]).headers["location"])
    return client.get(f"{back.path}?{back.query}").headers.get("location", "")


@pytest.mark.parametrize("kind", ["google", "microsoft", "okta", "keycloak"])
def test_a_person_comes_in_and_is_where_the_groups_say(settings: Settings, idp: IdentityProvider, kind: str) -> None:
    offer(settings, idp, kind, group_claim="groups")
    idp.claims["groups"] = ["eng-leads"]
    client = Client()
    assert {"google": "Google", "okta": "Okta"}.get(kind, "") in client.get("/accounts/login/").content.decode()
    assert sign_in(client, kind) == "/"
    nora = User.objects.get(email="nora@example.com")
    assert list(nora.memberships.values_list("team__name", "role")) == [("Platform", "lead")]
    assert client.get("/").status_code == 200
    assert idp.tokens_asked[0]["client_secret"] == "s3cret"
    events = [(one.additional_data or {}).get("event") for one in LogEntry.objects.get_for_object(nora)]
    assert "signed in" in events


def test_each_sign_in_brings_places_in_line(settings: Settings, idp: IdentityProvider) -> None:
    offer(settings, idp, "okta")
    for groups, places, is_admin in (
        (["eng", "gateway-admins"], [("Platform", "member")], True),
        ([], [], False),
    ):
        idp.claims["groups"] = groups
        sign_in(Client(), "okta")
        nora = User.objects.get()
        assert list(nora.memberships.values_list("team__name", "role")) == places
        assert nora.is_staff is is_admin


def test_keycloaks_roles_lie_deeper(settings: Settings, idp: IdentityProvider) -> None:
    offer(settings, idp, "keycloak", group_claim="realm_access.roles")
    idp.claims["realm_access"] = {"roles": ["eng"]}
    sign_in(Client(), "keycloak")
    assert list(User.objects.get().memberships.values_list("team__name", flat=True)) == ["Platform"]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_verified_address_opens_an_account_made_beforehand_only_where_trusted(
    settings: Settings, idp: IdentityProvider, trusted: bool
) -> None:
    before = User.objects.create_user("nora-by-hand", email="nora@example.com")
    offer(settings, idp, "okta", trust_email=trusted)
    client = Client()
    sign_in(client, "okta")
    assert (client.session.get("_auth_user_id") == str(before.pk)) is trusted


def test_a_person_who_is_shut_out_stays_out(settings: Settings, idp: IdentityProvider) -> None:
    offer(settings, idp, "okta")
    sign_in(Client(), "okta")
    User.objects.update(is_active=False)
    client = Client()
    sign_in(client, "okta")
    assert "_auth_user_id" not in client.session
