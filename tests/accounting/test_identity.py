"""Who is calling, where that cannot be told: what the line asks of the register, and is told."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError

from accounting import identity
from accounting.errors import KeysUnavailable
from accounting.identity import Caller, Register
from routing.gateway.errors import response

TOKEN = f"tg_{'a' * 12}_{'b' * 40}"
SHOWN = {"x-api-key": TOKEN}


@pytest.mark.parametrize("failure", [OperationalError("connection refused"), InterfaceError("connection is closed")])
async def test_a_database_that_is_away_lets_nobody_new_in_and_forgets_nobody(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    ada = Caller(1, "laptop", 1, "ada", None, "")
    monkeypatch.setattr(identity, "find", lambda token: ada)
    register = Register()
    assert await register.authenticate(SHOWN) is ada

    def away(token: str) -> Caller | None:
        raise failure

    monkeypatch.setattr(identity, "find", away)
    assert await register.authenticate(SHOWN) is ada
    with pytest.raises(KeysUnavailable) as told:
        await register.authenticate({"x-api-key": TOKEN.replace("a", "c")})
    status, headers, _ = response(told.value, "req_1")
    assert (status, dict(headers)[b"retry-after"]) == (503, b"5")
