"""Provider state that only its writer can read: signatures, encrypted reasoning.

Deterministic and without a store: a sealed value carries the digest of what it seals and a keyed expansion of
that digest, so any process with the same name knows its own bytes again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

_DIGEST = 16
_EXPANSION = 144


class Seal:
    """Writes and recognises opaque values of one provider. ``kind`` separates the dialects."""

    def __init__(self, name: str = "scripted-provider") -> None:
        self._secret = name.encode()

    def write(self, kind: str, content: str) -> str:
        """An opaque value (base64, 216 characters) that seals ``content``."""
        digest = hashlib.sha256(content.encode()).digest()[:_DIGEST]
        return base64.b64encode(digest + self._expand(kind, digest)).decode()

    def wrote(self, kind: str, value: str, content: str | None = None) -> bool:
        """Whether ``value`` is this seal's own, and, where ``content`` is given, seals just that."""
        try:
            raw = base64.b64decode(value, validate=True)
        except binascii.Error:
            return False
        digest, rest = raw[:_DIGEST], raw[_DIGEST:]
        if rest != self._expand(kind, digest):
            return False
        return content is None or digest == hashlib.sha256(content.encode()).digest()[:_DIGEST]

    def _expand(self, kind: str, digest: bytes) -> bytes:
        return hashlib.shake_256(self._secret + kind.encode() + digest).digest(_EXPANSION)
