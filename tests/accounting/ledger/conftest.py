"""People who call, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from accounting.identity import Caller, find, mint
from accounting.ledger import Booking
from accounting.models import Membership, Team, User


@pytest.fixture
def caller(live_ledger: None) -> Caller:
    """Ada, of team Engines."""
    ada = User.objects.create(username="ada")
    team = Team.objects.create(name="engines")
    Membership.objects.create(user=ada, team=team)
    _, token = mint(ada, name="laptop")
    found = find(token)
    assert found is not None
    return found


@pytest.fixture
def booking() -> Callable[..., Booking]:
    """Makes bookings of gpt-4o-mini ($0.15 / $0.60 per million), each with an id of its own."""
    numbers = count(1)

    def make(**changes: Any) -> Booking:
        values: dict[str, Any] = {
            "request_id": f"req_{next(numbers)}",
            "asked_model": "claude-sonnet-4-5",
            "tier": "sonnet",
            "provider": "openai",
            "model": "gpt-4o-mini",
            "price_family": "openai",
            "streamed": True,
            "input_estimate": 1000,
            "max_tokens": 4096,
        }
        return Booking(**{**values, **changes})

    return make
