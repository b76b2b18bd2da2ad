"""The people of these tests: an admin, the lead and a member of one team, the lead of another, a stranger to all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounting.models import Membership, Team, User

PASSWORD = "correct horse battery"
Browser = Callable[[User], Client]


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Platform")


@pytest.fixture
def other_team(db: None) -> Team:
    return Team.objects.create(name="Research")


def _person(name: str, **fields: object) -> User:
    user = User(username=name, email=f"{name}@example.com", **fields)
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def admin(db: None) -> User:
    return _person("ada", is_staff=True, is_superuser=True)


@pytest.fixture
def lead(team: Team) -> User:
    user = _person("lena")
    Membership.objects.create(user=user, team=team, role=Membership.Role.LEAD)
    return user


@pytest.fixture
def member(team: Team) -> User:
    user = _person("max")
    Membership.objects.create(user=user, team=team)
    return user


@pytest.fixture
def other_lead(other_team: Team) -> User:
    user = _person("olga")
    Membership.objects.create(user=user, team=other_team, role=Membership.Role.LEAD)
    return user


@pytest.fixture
def browse() -> Browser:
    """A browser in which a person is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in
