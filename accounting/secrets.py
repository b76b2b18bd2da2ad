"""Numbered secrets: what seals provider credentials, and what keys the digests of gateway keys.

A setting lists them newest first, ``2:<secret>,1:<secret>``; the first is used for what is new, all for what is old,
and each sealed value remembers its number. Without a setting there is one, number 0, derived from SECRET_KEY.
"""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Unsealable(Exception):
    """A sealed value that no key at hand opens: its key was removed from the setting, or the value was damaged."""


@lru_cache(maxsize=8)
def _ring(purpose: str, entries: tuple[str, ...], fallback: str) -> dict[int, bytes]:
    """Number -> 32 bytes, newest first. Raises ImproperlyConfigured for an entry that is not ``number:secret``."""
    ring: dict[int, bytes] = {}
    for entry in entries or (f"0:{fallback}",):
        number, colon, secret = entry.partition(":")
        if not (colon and number.strip().isdigit() and secret):
            raise ImproperlyConfigured(f"{purpose} takes entries of the form NUMBER:SECRET, separated by commas.")
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"tollgate {purpose}".encode())
        ring[int(number)] = derive.derive(secret.encode())
    return ring


def _keys(purpose: str) -> dict[int, bytes]:
    return _ring(purpose, tuple(getattr(settings, purpose)), settings.SECRET_KEY)


def verify() -> None:
    """Raises ImproperlyConfigured where a setting is not of the form it should have."""
    for purpose in ("ENCRYPTION_KEYS", "KEY_PEPPERS"):
        _keys(purpose)


def seal(value: str) -> str:
    """``value`` encrypted (Fernet: AES-128-CBC with HMAC-SHA256), as ``number:token``."""
    number, key = next(iter(_keys("ENCRYPTION_KEYS").items()))
    return f"{number}:{Fernet(base64.urlsafe_b64encode(key)).encrypt(value.encode()).decode()}"


def unseal(sealed: str) -> str:
    """What ``seal`` was given. Raises Unsealable."""
    number, _, token = sealed.partition(":")
    key = _keys("ENCRYPTION_KEYS").get(int(number) if number.isdigit() else -1)
    if key is None:
        raise Unsealable(f"No encryption key with number {number!r} is configured.")
    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise Unsealable("The sealed value does not open with its key.") from error


def digest(token: str, pepper: int) -> bytes | None:
    """HMAC-SHA256 of ``token`` under pepper number ``pepper``: 32 bytes; None where that pepper is no longer known."""
    key = _keys("KEY_PEPPERS").get(pepper)
    return hmac.digest(key, token.encode(), "sha256") if key else None


def fresh_digest(token: str) -> tuple[int, bytes]:
    """The number of the newest pepper, and the digest of ``token`` under it."""
    number, key = next(iter(_keys("KEY_PEPPERS").items()))
    return number, hmac.digest(key, token.encode(), "sha256")
