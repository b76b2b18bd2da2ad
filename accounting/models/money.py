"""Money in the database: exact on every backend."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core import exceptions
from django.db import models

PLACES: Final = 10
MOST: Final = Decimal(900_000_000)  # dollars that are taken from a form: the column holds hardly more
if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field


def to_units(dollars: Decimal | int) -> int:
    """Dollars as whole units of 1e-10 dollars, rounded half to even."""
    return int(Decimal(dollars).scaleb(PLACES).to_integral_value(rounding=ROUND_HALF_EVEN))


def from_units(units: int | Decimal) -> Decimal:
    return Decimal(units).scaleb(-PLACES)


class MoneyField(_Field):
    """US dollars: a Decimal outside, a 64-bit integer of 1e-10 dollars in the database.

    SQLite keeps a DecimalField as a binary float; integers add up exactly everywhere, and fast. Holds +-922 million
    dollars. ``Sum`` and ``F`` work as on any other column.
    """

    description = "US dollars"

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: int | Decimal | None, *_: Any) -> Decimal | None:
        return None if value is None else from_units(value)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError as error:
            raise exceptions.ValidationError(f"{value!r} is not an amount of money.", code="invalid") from error

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        if value is None or hasattr(value, "resolve_expression"):
            return value
        amount = self.to_python(value)
        return None if amount is None else to_units(amount)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        kwargs.setdefault("form_class", forms.DecimalField)
        if kwargs["form_class"] is forms.DecimalField:
            kwargs = {"decimal_places": PLACES, "min_value": -MOST, "max_value": MOST, **kwargs}
        return super().formfield(**kwargs)
