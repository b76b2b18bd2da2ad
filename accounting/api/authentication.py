"""The API's way in for programs: the same gateway key as on the line, as bearer token or as ``x-api-key``."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounting.addresses import client_address
from accounting.errors import NotAuthenticated
from accounting.identity import Caller, authenticate
from accounting.models import User


class Service:
    """Stands where a person would, for a key that belongs to a team and to nobody in it."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False
    pk = None

    def __init__(self, name: str) -> None:
        self.username = name

    def __str__(self) -> str:
        return self.username


class KeyAuthentication(BaseAuthentication):
    """``request.auth`` is the ``Caller``, ``request.user`` the person, or a ``Service``. Sessions come after it."""

    def authenticate(self, request: Request) -> tuple[User | Service, Caller] | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        peer = str(request.META.get("REMOTE_ADDR") or "")
        try:
            caller = authenticate(headers, client_address(peer, headers.get("x-forwarded-for", "")))
        except NotAuthenticated as error:
            raise AuthenticationFailed(error.message) from error
        if caller is None:
            return None
        if caller.user_id is None:
            return Service(f"{caller.team_name}/{caller.key_name}"), caller
        return User.objects.get(pk=caller.user_id), caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Tollgate"'
