"""The limits in force, as frozen values in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from accounting.identity import Caller
from accounting.ledger.booking import Booking
from accounting.models import Limit
from accounting.models.money import to_units

from . import periods

_MEMORY: Final = 10_000  # callers and models whose limits are kept found


@dataclass(frozen=True, slots=True)
class Policy:
    """One limit. ``amount`` is in units of 1e-10 dollars; ``subject`` and ``name`` are for people."""

    id: int
    scope: str
    subject_id: int
    subject: str
    name: str
    kind: str
    period: str
    amount: int
    count: int
    model_pattern: str
    tier: str
    soft_percent: int
    enabled: bool

    @classmethod
    def of(cls, limit: Limit) -> Policy:
        return cls(
            id=limit.pk,
            scope=limit.scope,
            subject_id=limit.user_id or limit.team_id or limit.key_id or 0,
            subject=limit.subject,
            name=limit.name,
            kind=limit.kind,
            period=limit.period,
            amount=0 if limit.amount is None else to_units(limit.amount),
            count=limit.count or 0,
            model_pattern=limit.model_pattern,
            tier=limit.tier,
            soft_percent=limit.soft_percent,
            enabled=limit.enabled,
        )

    @property
    def is_budget(self) -> bool:
        return self.kind == Limit.Kind.BUDGET

    def window(self, moment: datetime) -> int:
        return periods.start(self.period, moment)

    def covers(self, asked_model: str, tier: str, model: str) -> bool:
        """Whether requests for this model count here."""
        if self.tier and self.tier != tier:
            return False
        pattern = self.model_pattern
        return not pattern or fnmatchcase(asked_model, pattern) or fnmatchcase(model, pattern)


class Policies:
    """All limits, found by whose they are."""

    def __init__(self, limits: Iterable[Limit] = ()) -> None:
        self.by_id = {limit.pk: Policy.of(limit) for limit in limits}
        self._by_subject: dict[tuple[str, int], list[Policy]] = {}
        for policy in self.by_id.values():
            self._by_subject.setdefault((policy.scope, policy.subject_id), []).append(policy)
        self._found: dict[tuple[Any, ...], list[Policy]] = {}

    @classmethod
    def load(cls) -> Policies:
        return cls(Limit.objects.select_related("user", "team", "key"))

    def of(self, caller: Caller, booking: Booking) -> list[Policy]:
        """Every limit that a request counts against, in order of id. Not to be changed."""
        if not self._by_subject:
            return []
        who = (caller.team_id, caller.user_id, caller.key_id, booking.asked_model, booking.tier, booking.model)
        found = self._found.get(who)
        if found is None:
            if len(self._found) >= _MEMORY:
                self._found.clear()
            found = self._found[who] = self._find(caller, booking)
        return found

    def _find(self, caller: Caller, booking: Booking) -> list[Policy]:
        subjects = (
            (Limit.Scope.GATEWAY.value, 0),
            (Limit.Scope.TEAM.value, caller.team_id),
            (Limit.Scope.USER.value, caller.user_id),
            (Limit.Scope.KEY.value, caller.key_id),
        )
        found = [
            policy
            for scope, subject_id in subjects
            if subject_id is not None
            for policy in self._by_subject.get((scope, subject_id), ())
            if policy.covers(booking.asked_model, booking.tier, booking.model)
        ]
        return sorted(found, key=lambda policy: policy.id)
