"""How django-allauth behaves here: accounts are made by admins or by single sign-on, never by strangers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import HttpRequest

from accounting.addresses import address_of
from accounting.models import User
from accounting.secrets import seal, unseal

from .groups import bring_in_line, groups_in


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that guesses are counted by, behind the same trusted proxies as the line."""
        return address_of(request)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Below PUBLIC_URL: the Host header is what a stranger wrote, and this link opens somebody's account."""
        url: str = super().get_reset_password_from_key_url(key)
        return settings.PUBLIC_URL + urlsplit(url).path if settings.PUBLIC_URL else url

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mails are from Tollgate; from the site, as allauth has it, they would be from the Host header."""
        site = SimpleNamespace(name="Tollgate", domain=urlsplit(settings.PUBLIC_URL).netloc)
        super().send_mail(template_prefix, email, {"current_site": site, **context})

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth's own has the Host header in it, which a guesser chooses.
        return str(credentials.get("email", credentials.get("username", ""))).lower()


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """A provider in the settings is trusted to say who may have an account; its groups say where they belong."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.is_existing:
            _bring_in_line(sociallogin)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        _bring_in_line(sociallogin)
        return user


class MFAAdapter(DefaultMFAAdapter):
    """Second factors are sealed at rest, as providers' credentials are."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)


def _bring_in_line(sociallogin: SocialLogin) -> None:
    given = sociallogin.provider.app.settings
    mapping, claim = given.get("groups"), given.get("group_claim")
    if not mapping or not claim:
        return
    data = sociallogin.account.extra_data
    groups = groups_in(data.get("userinfo") or {}, claim) | groups_in(data.get("id_token") or {}, claim)
    bring_in_line(sociallogin.user, groups, mapping)
