"""Money in a form: what the column holds, exactly, and nothing that it does not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounting.models import Limit
from accounting.models.money import MoneyField, to_units


@pytest.mark.parametrize("given", ["0.0000000001", "900000000", "-900000000"])
def test_what_a_form_takes_is_kept_exactly(given: str) -> None:
    field = MoneyField().formfield()
    assert field is not None
    taken = field.clean(given)
    assert taken == Decimal(given)
    assert abs(to_units(taken)) < 2**63


@pytest.mark.parametrize("given", ["950000000", "-950000000", "0.00000000001", "NaN", "1e30"])
def test_what_the_column_does_not_hold_is_refused(given: str) -> None:
    field = Limit._meta.get_field("amount").formfield()
    assert field is not None
    with pytest.raises(ValidationError):
        field.clean(given)
