"""Keys in the admin: shown once, rotated, revoked, never deleted."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounting.identity import find, mint
from accounting.models import Key, Team, User
from accounting.rotation import revoke

pytestmark = pytest.mark.django_db
LIST = "/admin/accounting/key/"
_TOKEN = re.compile(r"tg_[0-9A-Za-z]{12}_[0-9A-Za-z]{40}")


@pytest.fixture
def anna() -> User:
    user: User = User.objects.create_user("anna")
    return user


def shown(page: str) -> str:
    found = set(_TOKEN.findall(page))
    assert len(found) == 1
    return str(found.pop())


def test_a_new_key_is_shown_once_and_nowhere_kept(admin_client: Client, anna: User) -> None:
    data = {
        "name": "laptop",
        "user": str(anna.pk),
        "scopes": ["messages"],
        "allowed_models": "claude-haiku-*\nSMALL",
        "allowed_networks": "10.0.0.0/8",
    }
    answer = admin_client.post(LIST + "add/", data)
    token = shown(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    caller = find(token)
    assert caller is not None
    assert (caller.user_name, caller.key_name, caller.scopes) == ("anna", "laptop", frozenset({"messages"}))
    assert (caller.allowed_models, caller.allowed_networks) == (("claude-haiku-*", "SMALL"), ("10.0.0.0/8",))
    key = Key.objects.get(name="laptop")
    for page in (LIST, f"{LIST}{key.pk}/change/"):
        assert not _TOKEN.search(admin_client.get(page).content.decode())
    kept = json.dumps([*LogEntry.objects.values("changes", "object_repr"), *Key.objects.values("name", "public_id")])
    assert token not in kept + "".join(str(one.get_decoded()) for one in Session.objects.all())


def test_a_service_key_belongs_to_a_team(admin_client: Client) -> None:
    team = Team.objects.create(name="core")
    answer = admin_client.post(LIST + "add/", {"name": "ci", "team": str(team.pk), "scopes": ["messages"]})
    caller = find(shown(answer.content.decode()))
    assert caller is not None
    assert (caller.user_id, caller.team_name) == (None, "core")


@pytest.mark.parametrize(
    ("data", "said"),
    [({}, "belongs to a person"), ({"allowed_networks": "ten"}, "is no network"), ({"scopes": []}, "required")],
)
def test_mistakes_are_told(admin_client: Client, data: dict[str, object], said: str) -> None:
    page = admin_client.post(LIST + "add/", {"name": "x", "scopes": ["messages"]} | data)
    assert said in page.content.decode()
    assert not Key.objects.exists()


def test_an_edit_changes_what_a_key_may_do_and_not_whose_it_is(admin_client: Client, anna: User) -> None:
    key, token = mint(anna)
    other = User.objects.create_user("ben")
    data = {"name": "renamed", "user": str(other.pk), "scopes": ["usage"], "allowed_models": "SMALL"}
    assert admin_client.post(f"{LIST}{key.pk}/change/", data).status_code == 302
    caller = find(token)
    assert caller is not None
    assert (caller.key_name, caller.user_name, caller.scopes) == ("renamed", "anna", frozenset({"usage"}))
    assert caller.allowed_models == ("SMALL",)


def test_rotation_asks_then_shows_the_new_token(admin_client: Client, anna: User) -> None:
    key, token = mint(anna, name="laptop")
    url = f"{LIST}{key.pk}/rotate/"
    assert "The old key" in admin_client.get(url).content.decode()
    assert Key.objects.count() == 1, "looking makes no key"
    new = shown(admin_client.post(url, {"grace": "1"}).content.decode())
    assert find(new) is not None
    old = Key.objects.get(pk=key.pk)
    assert old.expires_at is not None
    assert timedelta(minutes=55) < old.expires_at - timezone.now() <= timedelta(hours=1)
    assert find(token) is not None
    again = admin_client.post(url, {"grace": "1"}, follow=True).content.decode()
    assert "replaced already" in again


def test_revoking_one_and_many(admin_client: Client, anna: User) -> None:
    keys = [mint(anna) for _ in range(3)]
    one, token = keys[0]
    admin_client.get(f"{LIST}{one.pk}/revoke/")
    assert find(token) is not None, "a link alone revokes nothing"
    admin_client.post(f"{LIST}{one.pk}/revoke/")
    assert find(token) is None
    chosen = [str(key.pk) for key, _ in keys]
    admin_client.post(LIST, {"action": "revoke_selected", "_selected_action": chosen})
    assert all(find(token) is None for _, token in keys)
    assert admin_client.post(f"{LIST}{one.pk}/delete/").status_code == 403


@pytest.mark.parametrize(("state", "names"), [("live", {"a"}), ("expired", {"b"}), ("revoked", {"c"})])
def test_keys_are_filtered_by_state(admin_client: Client, anna: User, state: str, names: set[str]) -> None:
    mint(anna, name="a")
    mint(anna, name="b", expires_at=timezone.now() - timedelta(days=1))
    revoked, _ = mint(anna, name="c")
    Key.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    listed = admin_client.get(LIST, {"state": state}).context["cl"].result_list
    assert {key.name for key in listed} == names


def test_those_without_the_right_are_kept_out(client: Client, anna: User) -> None:
    key, token = mint(anna)
    staff = User.objects.create_user("staff", is_staff=True)
    client.force_login(staff)
    for url in (LIST, f"{LIST}{key.pk}/rotate/"):
        assert client.get(url).status_code == 403
    client.post(f"{LIST}{key.pk}/revoke/")
    assert find(token) is not None


def test_many_keys_are_told_when_to_expire(admin_client: Client) -> None:
    anna = User.objects.create_user("anna")
    kept, _ = mint(anna)
    gone, _ = mint(anna)
    revoke(gone)
    chosen = [str(kept.pk), str(gone.pk)]
    asked = admin_client.post(
        "/admin/accounting/key/", {"action": "expire_selected", "_selected_action": chosen}
    ).headers["location"]
    assert "left as it is: it is revoked" in admin_client.get(asked).content.decode()
    for given, live in (("2020-01-01T00:00", False), ("", True)):
        admin_client.post(asked, {"expires_at": given})
        kept.refresh_from_db()
        assert kept.is_live is live
    gone.refresh_from_db()
    assert gone.expires_at is None
