from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounting.identity import find
from accounting.models import Key, Limit
from tests.accounting.company import Company

from .conftest import As


def test_a_key_is_shown_once(company: Company, as_: As) -> None:
    made = as_("bob").post("/api/keys", {"name": "laptop", "allowed_models": ["gpt-*"]})
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    token = made.json()["token"]
    caller = find(token)
    assert caller is not None
    assert (caller.user_name, caller.key_name, caller.allowed_models) == ("bob", "laptop", ("gpt-*",))
    assert caller.scopes == {"messages", "usage"}
    shown = as_("bob").get(f"/api/keys/{made.json()['id']}")
    assert token not in shown.content.decode()
    assert "token" not in shown.json()


def test_a_rotated_key_lives_on_for_its_grace_time(company: Company, as_: As) -> None:
    old = company.keys["bob"].public_id
    answer = as_("bob").post(f"/api/keys/{old}/rotate", {"grace_seconds": 60})
    assert answer.status_code == 201
    new = answer.json()
    assert (new["replaces"], new["scopes"]) == (old, ["messages", "usage", "manage"])
    assert find(new["token"]) is not None
    left = Key.objects.get(public_id=old).expires_at
    assert left is not None
    assert timedelta() < left - timezone.now() <= timedelta(seconds=60)
    again = as_("bob").post(f"/api/keys/{old}/rotate", {})
    assert again.status_code == 409


def test_a_key_that_was_replaced_is_not_replaced_again(company: Company, as_: As) -> None:
    old = company.keys["bob"].public_id
    assert as_("root").post(f"/api/keys/{old}/rotate", {}).status_code == 201
    answer = as_("root").post(f"/api/keys/{old}/rotate", {})
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "conflict_error")


def test_a_revoked_key_is_refused_at_once(company: Company, as_: As) -> None:
    key = company.keys["eve"].public_id
    assert as_("ada").delete(f"/api/keys/{key}").json()["live"] is False
    assert as_("eve").get("/api/me").status_code == 401


def test_service_keys_are_the_leads(company: Company, as_: As) -> None:
    wanted = {"name": "ci", "service": True, "team": "red"}
    assert as_("bob").post("/api/keys", wanted).status_code == 403
    assert as_("grace").post("/api/keys", wanted).status_code == 400
    made = as_("ada").post("/api/keys", wanted).json()
    assert (made["user"], made["team"]) == (None, "red")
    assert as_("red-service").post("/api/keys", wanted).status_code == 201
    assert as_("red-service").post("/api/keys", {"name": "own"}).status_code == 400
    assert as_("ada").post(f"/api/keys/{made['id']}/rotate", {}).status_code == 201


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "x", "scopes": ["root"]}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "allowed_networks": ["10.0.0.0/99"]}, "allowed_networks"),
        ({"name": "x", "team": "blue"}, "team"),
        ({"name": "x", "service": True}, "service"),
        ({"name": "x", "user": "carl"}, "user"),
        ([], "non_field_errors"),
    ],
)
def test_a_wrong_body_is_told(as_: As, wanted: Any, field: str) -> None:
    answer = as_("bob").post("/api/keys", wanted)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


RESTRICTED: dict[str, dict[str, Any]] = {
    "scopes": {"scopes": ["manage"]},
    "models": {"allowed_models": ["gpt-*"]},
    "networks": {"allowed_networks": ["127.0.0.0/8"]},
    "life": {"expires_at": timezone.now() + timedelta(days=36_500)},
}


@pytest.mark.parametrize("restriction", RESTRICTED)
def test_a_key_hands_on_no_more_than_it_has(company: Company, as_: As, restriction: str) -> None:
    mine, other = company.keys["bob"], company.keys["eve"]
    other.user = company["bob"]
    other.save()
    for name, value in RESTRICTED[restriction].items():
        setattr(mine, name, value)
    mine.save()
    client = as_("bob")
    assert client.post("/api/keys", {"name": "wide", "scopes": ["manage", "messages"]}).status_code == 403
    assert client.post(f"/api/keys/{other.public_id}/rotate", {}).status_code == 403
    assert client.patch(f"/api/keys/{other.public_id}", {"allowed_models": []}).status_code == 403
    assert client.patch(f"/api/keys/{other.public_id}", {"name": "renamed"}).status_code == 200
    narrow = {
        "name": "narrow",
        "scopes": ["manage"],
        "allowed_models": ["gpt-*"],
        "allowed_networks": ["127.0.0.0/8"],
        "expires_at": (timezone.now() + timedelta(hours=1)).isoformat(),
    }
    assert client.post("/api/keys", narrow).status_code == 201


def test_a_key_that_rotates_itself_gains_no_life(company: Company, as_: As) -> None:
    """Else whoever has found one has it for ever."""
    mine = company.keys["bob"]
    Key.objects.filter(pk=mine.pk).update(created_at=timezone.now() - timedelta(days=89))
    mine.expires_at = timezone.now() + timedelta(days=1)
    mine.save()
    made = as_("bob").post(f"/api/keys/{mine.public_id}/rotate", {})
    assert made.status_code == 201
    assert Key.objects.get(public_id=made.json()["id"]).expires_at == mine.expires_at


def test_a_key_with_limits_makes_none_without(company: Company, as_: As) -> None:
    service = company.keys["red-service"]
    wanted = {"name": "ci", "service": True, "team": "red"}
    assert as_("red-service").post("/api/keys", wanted).status_code == 201
    Limit.objects.create(scope="key", key=service, kind="budget", period="month", amount=Decimal(10))
    assert as_("red-service").post("/api/keys", wanted).status_code == 403
    rotated = as_("red-service").post(f"/api/keys/{service.public_id}/rotate", {})
    assert Limit.objects.filter(key__public_id=rotated.json()["id"]).count() == 1


def test_a_session_needs_its_csrf_token_to_change_anything(company: Company) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(company["bob"])
    answer = client.post("/api/keys", {"name": "forged"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")


def test_lists_are_cut_into_pages(company: Company, as_: As) -> None:
    client = as_("root")
    seen = []
    path: str | None = "/api/keys?page_size=2"
    while path:
        page = client.get(path).json()
        assert len(page["results"]) <= 2
        seen += [key["id"] for key in page["results"]]
        path = page["next"]
    assert sorted(seen) == sorted(key.public_id for key in company.keys.values())


def test_the_number_of_queries_does_not_grow_with_the_list(
    company: Company, as_: As, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(5):
        as_("ada").get("/api/keys")
    with django_assert_max_num_queries(8):
        as_("ada").get("/api/people")
    with django_assert_max_num_queries(8):
        as_("ada").get("/api/teams")
