"""Sign-in by password: one door for portal and admin, slowed for guessers, with a second factor for who wants one."""

from __future__ import annotations

import secrets

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounting.models import User

from .conftest import PASSWORD, Browser

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _nobody_has_tried_yet() -> None:
    cache.key_prefix = secrets.token_hex(4)  # not cleared: in Redis it would be everybody's, other processes' tests too


def _try(client: Client, login: str, password: str, **headers: str) -> str:
    response = client.post(LOGIN, {"login": login, "password": password}, headers=headers)
    return response.headers.get("Location", "") or response.content.decode()


@pytest.mark.parametrize("login", ["max", "max@example.com"])
def test_by_name_or_by_mail(member: User, login: str) -> None:
    assert _try(Client(), login, PASSWORD) == "/"


def test_guesses_at_one_name_are_slowed_whatever_host_they_name(member: User) -> None:
    client = Client()
    for number in range(5):
        assert "not correct" in _try(client, "max", "wrong", host=f"host{number}.example.com")
    assert "Too many failed login attempts" in _try(client, "max", PASSWORD, host="another.example.com")


def test_guesses_from_one_address_are_slowed(db: None) -> None:
    client = Client()
    said = [_try(client, f"person{number}", "wrong") for number in range(12)]
    assert "not correct" in said[0]
    assert "Too many failed login attempts" in said[-1]


def test_addresses_behind_a_trusted_proxy_are_told_apart(db: None, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1/32"]
    for number in range(15):
        said = _try(Client(), f"person{number}", "wrong", **{"x-forwarded-for": f"203.0.113.{number}"})
        assert "not correct" in said


def test_the_admin_has_no_door_of_its_own(admin: User, member: User, browse: Browser) -> None:
    stranger = Client().get("/admin/login/?next=/admin/")
    assert stranger.status_code == 302
    assert stranger.headers["Location"].startswith(LOGIN)
    assert Client().post("/admin/login/", {"username": "ada", "password": PASSWORD}).status_code == 302
    assert browse(admin).get("/admin/").status_code == 200
    assert browse(member).get("/admin/", follow=True).status_code == 403


def test_a_second_factor_is_asked_for_and_sealed_at_rest(member: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(member, secret)
    assert secret not in str(Authenticator.objects.get(type=Authenticator.Type.TOTP).data)
    client = Client()
    assert _try(client, "max", PASSWORD) == "/accounts/2fa/authenticate/"
    assert client.get("/").status_code == 302
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()


def test_nobody_makes_an_account_for_themselves(db: None) -> None:
    form = {"username": "mallory", "password1": PASSWORD, "password2": PASSWORD, "email": "m@example.com"}
    assert "No sign-up here" in Client().post("/accounts/signup/", form).content.decode()
    assert not User.objects.exists()


def test_a_lost_password_is_reset_by_mail(member: User, settings: Settings) -> None:
    settings.MAIL_IS_SENT = True
    client = Client()
    assert "Forgotten your password?" in client.get(LOGIN).content.decode()
    client.post("/accounts/password/reset/", {"email": "max@example.com"})
    assert mail.outbox[0].to == ["max@example.com"]
    assert "/accounts/password/reset/key/" in str(mail.outbox[0].body)


def test_the_link_that_resets_a_password_leads_here_whatever_host_was_asked(member: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://gateway.example.com"
    Client().post("/accounts/password/reset/", {"email": "max@example.com"}, headers={"host": "evil.example.com"})
    body = str(mail.outbox[0].body)
    assert "https://gateway.example.com/accounts/password/reset/key/" in body
    assert "evil" not in body


def test_no_mail_is_offered_where_none_is_sent(db: None) -> None:
    assert "Forgotten your password?" not in Client().get(LOGIN).content.decode()
    assert "sends no mail" in Client().get("/accounts/password/reset/").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"])
def test_sign_in_leads_nowhere_else(member: User, target: str) -> None:
    response = Client().post(LOGIN, {"login": "max", "password": PASSWORD, "next": target})
    assert response.headers["Location"] == "/"
