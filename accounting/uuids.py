"""Keys that sort by time: UUIDs of version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

from datetime import datetime
from random import getrandbits
from uuid import UUID

_RANDOM_BITS = 74


def uuid7(moment: datetime) -> UUID:
    """A key made at ``moment``; it sorts after every one of an earlier millisecond."""
    # Not os.urandom: it hands the interpreter's lock over, and these are unique, not secret.
    return _compose(_milliseconds(moment), getrandbits(_RANDOM_BITS))


def first_of(moment: datetime) -> UUID:
    """The bound between the keys made before ``moment``, to the millisecond, and those made from then on."""
    return _compose(_milliseconds(moment), 0)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _compose(milliseconds: int, random: int) -> UUID:
    high, low = random >> 62, random & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
