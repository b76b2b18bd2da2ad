"""Why accounting turns a request away, as one small tree; ``routing.gateway.errors`` gives each its status.

::

    AccountingError
    ├── NotAuthenticated     no key, or none that is known, live and allowed from here
    ├── NotPermitted         a good key that may not do this
    ├── LimitReached         a rate or concurrency limit; retry_after in seconds
    ├── BudgetSpent          a budget; says which, whose, and when it resets
    ├── KeysUnavailable      no key can be looked up now, so nobody new is let in
    └── LedgerUnavailable    the ledger cannot be written now, so nothing may be sent on
"""

from __future__ import annotations


class AccountingError(Exception):
    """``message`` is for the person at the client; ``retry_after`` is in seconds, None where waiting is no help."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class NotAuthenticated(AccountingError):
    """No key, or none that is known, live and allowed from here."""


class NotPermitted(AccountingError):
    """A good key that may not do this."""


class LimitReached(AccountingError):
    """A rate or concurrency limit is reached; the same request succeeds after ``retry_after``."""


class BudgetSpent(AccountingError):
    """A budget has no room for the request; ``retry_after`` is the time until the budget's period ends."""


class KeysUnavailable(AccountingError):
    """No key can be looked up now: the database is away. Those that were recognised before are."""


class LedgerUnavailable(AccountingError):
    """The ledger cannot be written now, and no request leaves without its row."""
