"""The admin of people, keys, money and the record."""

from . import audit, keys, ledger, limits, people, prices

__all__ = ["audit", "keys", "ledger", "limits", "people", "prices"]
