"""Why a model name leads nowhere, or cannot be followed now.

::

    RoutingError
    ├── ModelUnknown       no rule, list or provider knows the name
    ├── ModelNotAllowed    the caller's key may not use it
    ├── NotConfigured      the rule that matches points at a provider that cannot be used
    └── TableUnavailable   what leads where cannot be read now
"""

from __future__ import annotations


class RoutingError(Exception):
    """``message`` is for the person at the client."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelUnknown(RoutingError):
    """No rule, list or provider knows the name."""


class ModelNotAllowed(RoutingError):
    """The caller's key may not use this model."""


class NotConfigured(RoutingError):
    """The rule that matches points at a provider that is off or has no credential; an admin must act."""


class TableUnavailable(RoutingError):
    """What leads where cannot be read now: the database is away."""
