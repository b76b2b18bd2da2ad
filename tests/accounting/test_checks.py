"""A mistake in what is set about money is told by its number, with the mend."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from accounting.checks import money


def test_what_is_set_by_default_is_fine() -> None:
    assert money(None) == []


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("BUDGET_RESERVATION", "generous", "tollgate.E005"),
        ("LEDGER_LEASE_SECONDS", 0.5, "tollgate.E006"),
        ("BUDGET_WEBHOOK_URL", "hooks.example.com/x", "tollgate.E007"),
    ],
)
def test_each_mistake_has_its_number_and_its_mend(
    settings: LazySettings, name: str, value: object, number: str
) -> None:
    setattr(settings, name, value)
    (message,) = money(None)
    assert message.id == number
    assert message.hint
