"""Provider state that travels with the client, so that nothing is stored here.

A client returns an assistant turn byte for byte: ``thinking.signature``, ``redacted_thinking.data`` and
``tool_use.id`` come back as they were written. What a provider wants to see again (Gemini's thought signatures,
OpenAI's encrypted reasoning, another host's reasoning details) is sealed into one of these, and opened again only for
the provider that wrote it. To everybody else, and after any damage, a seal is nothing: ``unseal`` gives None and the
state is dropped, which is what keeps a conversation alive across a change of provider (sub2api#2380,
CLIProxyAPI#2172, claude-code-router#1032).

The seal guards against mixing up and cutting off, not against forgery: the client could say the same things in its
messages anyway.

A seal is ``tg1-`` and base64url, so it also fits into a tool's id, which must match ``^[a-zA-Z0-9_-]+$``.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2s
from typing import Final

from .target import Target

PREFIX: Final = "tg1-"
# A client was seen to return ids of 4,500 characters unharmed.
MAX_ID: Final = 4500
_DIGEST_BYTES: Final = 9


def tag(target: Target) -> str:
    """Whose state it is: the provider and the dialect spoken with it."""
    return f"{target.dialect}:{target.provider}"


def seal(tag: str, payload: bytes | str) -> str:
    """``payload`` in a text that only ``unseal`` with the same ``tag`` opens."""
    data = payload.encode() if isinstance(payload, str) else payload
    return PREFIX + urlsafe_b64encode(_digest(tag, data) + data).rstrip(b"=").decode("ascii")


def unseal(tag: str, text: object) -> bytes | None:
    """The payload; None for anything that ``seal`` did not write with this ``tag``. Never raises."""
    if not is_sealed(text):
        return None
    encoded = str(text)[len(PREFIX) :]
    try:
        opened = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return None
    digest, data = opened[:_DIGEST_BYTES], opened[_DIGEST_BYTES:]
    # b64decode skips foreign characters; comparing what it would write again keeps every seal unambiguous.
    return data if digest == _digest(tag, data) and seal(tag, data) == text else None


def is_sealed(text: object) -> bool:
    """Whether this gateway wrote ``text``, for whichever provider: Anthropic itself must never see it."""
    return isinstance(text, str) and text.startswith(PREFIX)


def seal_id(tag: str, plain: str, payload: bytes | str) -> str:
    """The id ``plain`` with state behind it; both come back from ``split_id``."""
    return f"{plain}-{seal(tag, payload)}"


def split_id(tag: str, tool_id: str) -> tuple[str, bytes | None]:
    """The plain id, and the state behind it where it has any of this ``tag``."""
    plain, _, sealed = tool_id.partition("-" + PREFIX)
    return plain, unseal(tag, PREFIX + sealed) if sealed else None


def short_id(tool_id: str, limit: int = 40) -> str:
    """``tool_id`` without state, in at most ``limit`` of ``[a-zA-Z0-9_-]``: itself where it fits, else a digest.

    OpenAI takes 40 characters in chat completions and 64 in Responses.
    """
    plain = tool_id.partition("-" + PREFIX)[0]
    if 0 < len(plain) <= limit and plain.isascii() and plain.replace("_", "").replace("-", "").isalnum():
        return plain
    return "call_" + blake2s(tool_id.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _digest(tag: str, data: bytes) -> bytes:
    key = blake2s(tag.encode(), digest_size=16).digest()
    return blake2s(data, key=key, digest_size=_DIGEST_BYTES).digest()


# The signature of thinking that its provider does not want to see again: nobody opens it, Anthropic never sees it.
UNSIGNED: Final = seal("", b"")
