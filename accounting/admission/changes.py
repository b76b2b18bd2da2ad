"""Changes to limits, each with who made it and why. For requests they are in force with the next generation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Value
from django.utils import timezone

from accounting.models import Limit, LimitChange, LimitCounter, MoneyField, User

from . import periods
from .counters import Counters
from .policies import Policies

Action = LimitChange.Action
_WIDTH: Final = 100


def save(limit: Limit, by: User | None, reason: str = "") -> Limit:
    """Writes a new or a changed limit. Raises ValidationError."""
    limit.full_clean()
    with transaction.atomic():
        before = Limit.objects.filter(pk=limit.pk).first() if limit.pk else None
        limit.save()
        _record(limit, by, Action.CHANGED if before else Action.CREATED, told(before), told(limit), reason)
    return limit


def delete(limit: Limit, by: User | None, reason: str = "") -> None:
    """Removes a limit; its record stays."""
    with transaction.atomic():
        _record(limit, by, Action.DELETED, told(limit), "", reason)
        limit.delete()


def grant(limit: Limit, amount: Decimal, by: User | None, reason: str = "") -> None:
    """``amount`` US dollars more (or less) in the budget's current period alone. Raises ValidationError."""
    with transaction.atomic():
        _grant(limit, amount)
        _record(limit, by, Action.GRANTED, "", _dollars(amount), reason)


def reset(limit: Limit, by: User | None, reason: str = "") -> Decimal:
    """Gives back what the budget's current period has cost so far, as a grant: what was spent stays said."""
    with transaction.atomic():
        counter = _counter(limit)
        spent: Decimal = counter.spent
        # An earlier reset has given back the beginning of it.
        _grant(limit, spent - counter.forgiven)
        LimitCounter.objects.filter(pk=counter.pk).update(forgiven=spent)
        _record(limit, by, Action.RESET, _dollars(spent), "$0", reason)
    return spent


def told(limit: Limit | None) -> str:
    """How much a limit allows, for the record."""
    if limit is None:
        return ""
    period = f" per {limit.period}" if limit.period else ""
    measure = f"{_dollars(limit.amount)}{period}" if limit.amount is not None else f"{limit.count}"
    return measure if limit.enabled else f"{measure}, off"


def _dollars(amount: Decimal) -> str:
    return f"${amount.normalize():f}"


def _grant(limit: Limit, amount: Decimal) -> None:
    counter = _counter(limit)
    if not abs(counter.granted + amount) < 1_000_000:
        raise ValidationError({"amount": "A period is granted less than a million dollars."})
    # The writer never touches this column, so it is no loss that it holds the counter meanwhile.
    LimitCounter.objects.filter(pk=counter.pk).update(
        granted=F("granted") + Value(amount, output_field=MoneyField()), warned_at=None
    )


def _counter(limit: Limit) -> LimitCounter:
    """The current period's counter, made if need be, and locked."""
    if limit.kind != Limit.Kind.BUDGET:
        raise ValidationError("Only a budget has something to grant.")
    window = periods.start(limit.period, timezone.now())
    counters = Counters()
    counters.lock([(limit.pk, window)], Policies([limit]))
    counters.write()
    return LimitCounter.objects.get(limit=limit, window=window)


def _record(limit: Limit, by: User | None, action: str, before: str, after: str, reason: str) -> None:
    values: dict[str, Any] = {"before": before[:_WIDTH], "after": after[:_WIDTH], "reason": reason[:500]}
    name = by.get_username() if by else ""
    LimitChange.objects.create(limit=limit, limit_name=str(limit)[:200], by=by, by_name=name, action=action, **values)
