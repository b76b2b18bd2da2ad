"""The decision: reserve before a request leaves, settle after it, on counters that are locked meanwhile.

Rates are kept by the generic cell rate algorithm: one number a limit, no clock to tick, and the exact moment at which
a refused request would pass. A minute's worth may be used at once; then it comes back evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from accounting.errors import BudgetSpent, LimitReached
from accounting.ledger.booking import Hold, Row
from accounting.models import Limit
from accounting.models.money import from_units

from . import periods
from .counters import Counter, Counters
from .policies import Policy

Kind = Limit.Kind
Refusal = LimitReached | BudgetSpent

_MINUTE: Final = 60_000_000  # microseconds
_BUSY_RETRY: Final = 2.0  # seconds: how long requests in flight are expected to take, at the least
_RATES: Final = {Kind.REQUESTS_PER_MINUTE.value: "requests", Kind.TOKENS_PER_MINUTE.value: "tokens"}
_PERIODS: Final = {"day": "daily", "week": "weekly", "month": "monthly", "total": "total"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for: ``money`` in units of 1e-10 dollars, 0 where its price is not known; ``tokens``."""

    money: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Soft:
    """A budget that has just been filled to its soft threshold."""

    policy: Policy
    at: datetime
    spent: Decimal
    available: Decimal


class Gate:
    """Decides about the requests of one transaction, in the order of their arrival."""

    def __init__(self, counters: Counters, now: datetime) -> None:
        self._counters = counters
        self._now = now
        self._micros = int(now.timestamp() * 1_000_000)
        self.soft: list[Soft] = []

    def admit(self, row: Row, policies: Sequence[Policy], wanted: Wanted, *, forced: bool = False) -> Refusal | None:
        """Reserves ``wanted`` on every limit, and notes it in ``row.holds``; or reserves nothing, and says why.

        ``forced`` reserves in any case: for a request that has been served already.
        """
        held = [(policy, counter) for policy in policies if (counter := self._counter(policy, row)) is not None]
        for policy, counter in held:
            if policy.enabled and not forced and (refusal := self._refusal(policy, counter, wanted)) is not None:
                return refusal
        row.holds = tuple(self._reserve(policy, counter, row, wanted) for policy, counter in held)
        return None

    def release(self, row: Row, policies: Sequence[Policy]) -> None:
        """Gives back what ``row`` held. Rates are corrected to what it used."""
        by_id = {policy.id: policy for policy in policies}
        for hold in row.holds:
            counter = self._counters.get(hold.limit_id, hold.window)
            if counter is None:
                continue
            counter.reserved -= hold.money
            counter.in_flight -= hold.calls
            policy = by_id.get(hold.limit_id)
            if hold.tokens and policy is not None and policy.count:
                counter.arrival += (_rated(row) - hold.tokens) * _MINUTE // policy.count

    def book(self, row: Row, policies: Sequence[Policy], spent: int) -> None:
        """Books ``spent`` (units of 1e-10 dollars; negative takes back) on every budget that ``row`` counts for."""
        for policy in policies:
            counter = self._counter(policy, row) if policy.is_budget else None
            if counter is not None:
                counter.spent += spent
                self._watch(policy, counter)

    def headers(self, policies: Sequence[Policy], row: Row) -> list[tuple[bytes, bytes]]:
        """``anthropic-ratelimit-*`` of the tightest limits, and a word on a budget that is filled to its threshold.

        Source: https://docs.anthropic.com/en/api/rate-limits#response-headers
        """
        tightest: dict[str, tuple[int, Policy, Counter]] = {}
        warnings: list[tuple[bytes, bytes]] = []
        for policy in policies:
            counter = self._counter(policy, row) if policy.enabled else None
            if counter is None:
                continue
            if policy.kind in _RATES:
                remaining = max(_MINUTE - self._backlog(counter), 0) * policy.count // _MINUTE
                if policy.kind not in tightest or remaining < tightest[policy.kind][0]:
                    tightest[policy.kind] = remaining, policy, counter
            elif policy.is_budget and _is_filled(policy, counter):
                warnings.append((b"x-tollgate-budget", _in_one_line(self._fill(policy, counter))))
        headers: list[tuple[bytes, bytes]] = []
        for kind, name in _RATES.items():
            if kind in tightest:
                headers += self._rate_headers(f"anthropic-ratelimit-{name}", *tightest[kind])
        return headers + warnings

    def _rate_headers(self, name: str, remaining: int, policy: Policy, counter: Counter) -> list[tuple[bytes, bytes]]:
        reset = datetime.fromtimestamp(max(counter.arrival, self._micros) // 1_000_000, UTC)
        return [
            (f"{name}-limit".encode(), str(policy.count).encode()),
            (f"{name}-remaining".encode(), str(remaining).encode()),
            (f"{name}-reset".encode(), reset.isoformat().replace("+00:00", "Z").encode()),
        ]

    # --- one limit ----------------------------------------------------------------------------------------------

    def _counter(self, policy: Policy, row: Row) -> Counter | None:
        return self._counters.get(policy.id, policy.window(row.started_at))

    def _backlog(self, counter: Counter) -> int:
        """Microseconds until the rate's minute is whole again."""
        return max(counter.arrival - self._micros, 0)

    def _refusal(self, policy: Policy, counter: Counter, wanted: Wanted) -> Refusal | None:
        match policy.kind:
            case Kind.BUDGET:
                return self._over_budget(policy, counter, wanted.money)
            case Kind.CONCURRENT_REQUESTS:
                if counter.in_flight < policy.count:
                    return None
                return LimitReached(
                    f"{_whose(policy)} may have {policy.count} requests in flight at a time, and has"
                    f" {counter.in_flight}. Try again when one has ended.",
                    retry_after=_BUSY_RETRY,
                )
            case Kind.REQUESTS_PER_MINUTE:
                return self._over_rate(policy, counter, 1, "requests")
            case _:
                return self._over_rate(policy, counter, wanted.tokens, "tokens")

    def _over_rate(self, policy: Policy, counter: Counter, amount: int, unit: str) -> LimitReached | None:
        if not policy.count:
            return LimitReached(f"{_whose(policy)} may use no {unit}.", retry_after=60.0)
        backlog = self._backlog(counter)
        # A request larger than a whole minute's worth passes when the minute is untouched: else it never could.
        excess = min(backlog, backlog + amount * _MINUTE // policy.count - _MINUTE)
        if excess <= 0:
            return None
        return LimitReached(
            f"{_whose(policy)} may use {policy.count:,} {unit} per minute. Try again in {excess / 1e6:.0f} s.",
            retry_after=excess / 1e6,
        )

    def _over_budget(self, policy: Policy, counter: Counter, money: int) -> BudgetSpent | None:
        free = policy.amount + counter.granted - counter.spent - counter.reserved
        if free > 0 and money <= free:
            return None
        ends = periods.end(policy.period, self._now)
        return BudgetSpent(
            f"{self._fill(policy, counter)} This request needs about {_dollars(money)}.",
            retry_after=None if ends is None else max((ends - self._now).total_seconds(), 1.0),
        )

    def _reserve(self, policy: Policy, counter: Counter, row: Row, wanted: Wanted) -> Hold:
        window = policy.window(row.started_at)
        match policy.kind:
            case Kind.BUDGET:
                counter.reserved += wanted.money
                return Hold(policy.id, window, money=wanted.money)
            case Kind.CONCURRENT_REQUESTS:
                counter.in_flight += 1
                return Hold(policy.id, window, calls=1)
            case Kind.REQUESTS_PER_MINUTE:
                self._advance(counter, policy, 1)
                return Hold(policy.id, window)
            case _:
                self._advance(counter, policy, wanted.tokens)
                return Hold(policy.id, window, tokens=wanted.tokens)

    def _advance(self, counter: Counter, policy: Policy, amount: int) -> None:
        if policy.count:
            counter.arrival = max(counter.arrival, self._micros) + amount * _MINUTE // policy.count

    def _watch(self, policy: Policy, counter: Counter) -> None:
        if not policy.enabled or counter.warned_at is not None or not _is_filled(policy, counter):
            return
        counter.warned_at = self._now
        available = from_units(policy.amount + counter.granted)
        self.soft.append(Soft(policy, self._now, from_units(counter.spent), available))

    def _fill(self, policy: Policy, counter: Counter) -> str:
        ends = periods.end(policy.period, self._now)
        until = "does not reset" if ends is None else f"resets on {ends:%Y-%m-%d %H:%M %Z}"
        held = f", {_dollars(counter.reserved)} held by requests in flight" if counter.reserved else ""
        named = f" '{policy.name}'" if policy.name else ""
        return (
            f"The {_PERIODS[policy.period]} budget{named} of {_dollars(policy.amount + counter.granted)}"
            f" for {policy.subject} is used to {_dollars(counter.spent)}{held}; it {until}."
        )


def _rated(row: Row) -> int:
    """Tokens that count against a rate: cache reads do not, as with Anthropic."""
    return row.tokens.total - row.tokens.cache_read


def _in_one_line(text: str) -> bytes:
    """As a header takes it: names in it are people's to choose, and none may begin a header of its own."""
    return "".join(sign if sign.isprintable() else " " for sign in text).encode("ascii", "replace")


def _is_filled(policy: Policy, counter: Counter) -> bool:
    return counter.spent * 100 >= (policy.amount + counter.granted) * policy.soft_percent


def _whose(policy: Policy) -> str:
    subject = policy.subject
    return (subject[:1].upper() + subject[1:]) + (f" ({policy.name})" if policy.name else "")


def _dollars(units: int) -> str:
    amount = from_units(units)
    return f"${amount:,.2f}" if abs(amount) >= 1 or not amount else f"${amount:,.4f}"
