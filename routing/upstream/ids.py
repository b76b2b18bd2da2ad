"""Ids that Anthropic's API gives: a prefix and 96 random bits in 24 hexadecimal digits."""

from __future__ import annotations

from random import getrandbits


def fresh_id(prefix: str) -> str:
    """``prefix`` is ``msg_``, ``toolu_``, ``req_`` and the like. Unique, but no secret: whoever sees many can go on.

    ``os.urandom`` gives up the interpreter's lock with each call, and a busy loop then waits milliseconds to have it
    back from the ledger's thread.
    """
    return f"{prefix}{getrandbits(96):024x}"
