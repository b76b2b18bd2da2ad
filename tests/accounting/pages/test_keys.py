from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounting.identity import find, mint
from accounting.models import Key, Membership, Team, User

from .conftest import Browser

TOKEN = re.compile(r"tg_[0-9A-Za-z]{12}_[0-9A-Za-z]{40}")


def _ticket(client: Client, path: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', client.get(path).content.decode())
    assert found
    return found[1]


def _make(client: Client, **fields: object) -> Any:
    data = {"name": "laptop", "days": 90, "once": _ticket(client, "/keys/new/"), **fields}
    return client.post("/keys/new/", data)


def _tokens(response: Any) -> set[str]:
    return set(TOKEN.findall(response.content.decode()))


def test_a_new_key_is_shown_with_its_lines_and_works(member: User, browse: Browser) -> None:
    response = _make(browse(member))
    (token,) = _tokens(response)
    assert f"ANTHROPIC_AUTH_TOKEN={token}" in response.content.decode()
    caller = find(token)
    assert caller is not None
    assert (caller.user_id, caller.team_name, caller.key_name) == (member.pk, "Platform", "laptop")
    assert "no-store" in response.headers["Cache-Control"]


def test_a_token_is_shown_once_and_never_again(member: User, browse: Browser) -> None:
    client = browse(member)
    ticket = _ticket(client, "/keys/new/")
    form = {"name": "laptop", "days": 90, "once": ticket}
    (token,) = _tokens(client.post("/keys/new/", form))
    for path in ("/", "/keys/", "/keys/new/", f"/keys/{Key.objects.get().pk}/rotate/"):
        assert token not in client.get(path).content.decode()
    again = client.post("/keys/new/", form, follow=True)
    assert not _tokens(again)
    assert "shown only once" in again.content.decode()
    assert Key.objects.count() == 1
    assert token not in str(dict(client.session))


@pytest.mark.parametrize("once", ["", "made-up"])
def test_no_key_without_a_ticket(member: User, browse: Browser, once: str) -> None:
    response = browse(member).post("/keys/new/", {"name": "laptop", "days": 90, "once": once})
    assert response.status_code == 302
    assert not Key.objects.exists()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"days": "7"}, "not one of the available choices"),
        ({"days": "soon"}, "not one of the available choices"),
    ],
)
def test_bad_input_is_told_beside_its_field(
    member: User, browse: Browser, fields: dict[str, object], complaint: str
) -> None:
    response = _make(browse(member), **fields)
    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert not Key.objects.exists()


def test_a_key_ends_when_it_was_asked_to(member: User, browse: Browser) -> None:
    _make(browse(member), days=30)
    _make(browse(member), days=0, name="forever")
    assert Key.objects.get(name="forever").expires_at is None
    ends = Key.objects.get(name="laptop").expires_at
    assert ends is not None
    assert abs(ends - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_with_two_teams_one_says_whose_budget(member: User, other_team: Team, browse: Browser) -> None:
    Membership.objects.create(user=member, team=other_team)
    client = browse(member)
    _make(client, team=other_team.pk)
    assert Key.objects.get().team == other_team
    refused = _make(client, team=Team.objects.create(name="Not mine").pk)
    assert "not one of the available choices" in refused.content.decode()
    assert Key.objects.count() == 1


def test_rotation_leaves_the_old_key_its_grace(member: User, browse: Browser) -> None:
    old, old_token = mint(member, name="laptop")
    client = browse(member)
    path = f"/keys/{old.pk}/rotate/"
    response = client.post(path, {"hours": 24, "once": _ticket(client, path)})
    (token,) = _tokens(response)
    assert find(token) is not None
    assert find(old_token) is not None
    old.refresh_from_db()
    assert old.expires_at is not None
    assert abs(old.expires_at - timezone.now() - timedelta(hours=24)) < timedelta(minutes=1)
    page = client.get("/keys/").content.decode()
    assert "replaced" in page
    assert path not in page
    twice = client.post(path, {"hours": 24, "once": _ticket(client, path)}, follow=True)
    assert "replaced already" in twice.content.decode()


def test_revoking_ends_a_key_and_asks_first(member: User, browse: Browser) -> None:
    key, token = mint(member, name="lost laptop")
    client = browse(member)
    assert "cannot be undone" in client.get(f"/keys/{key.pk}/revoke/").content.decode()
    assert find(token) is not None
    done = client.post(f"/keys/{key.pk}/revoke/", follow=True)
    assert "lost laptop is revoked" in done.content.decode()
    assert find(token) is None


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_nobody_touches_keys_of_others(member: User, admin: User, lead: User, browse: Browser, action: str) -> None:
    key, token = mint(member)
    for other in (admin, lead):
        client = browse(other)
        assert client.get(f"/keys/{key.pk}/{action}/").status_code == 404
        assert client.post(f"/keys/{key.pk}/{action}/", {"hours": 0, "once": ""}).status_code == 404
        assert key.public_id not in client.get("/keys/").content.decode()
    assert find(token) is not None


def test_a_key_without_a_team_of_its_own_names_the_one_it_spends_for(
    member: User, admin: User, browse: Browser
) -> None:
    for user in (member, admin):
        mint(user)
    assert '<td data-label="Team">Platform</td>' in browse(member).get("/keys/").content.decode()
    assert '<td data-label="Team">–</td>' in browse(admin).get("/keys/").content.decode()


def test_the_first_key_takes_one_click(member: User, browse: Browser) -> None:
    client = browse(member)
    response = client.post("/keys/first/", {"once": _ticket(client, "/")})
    (token,) = _tokens(response)
    assert find(token) is not None


def test_the_list_costs_the_same_for_many_keys(
    member: User, browse: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(25):
        mint(member, name=f"key {number}")
    client = browse(member)
    with django_assert_max_num_queries(6):
        assert "key 24" in client.get("/keys/").content.decode()
