"""Who is calling, and how much."""

from .freshness import Generation
from .keys import Key
from .ledger import LedgerEntry, RateCard, Worker
from .limits import Limit, LimitChange, LimitCounter
from .live import LiveSnapshot
from .money import MoneyField
from .people import Membership, Team, User
from .prices import Price
from .rollups import DailyUsage, HourlyUsage, Retention, Seal, Summary
from .statistics import ModelStatistics

__all__ = [
    "DailyUsage",
    "Generation",
    "HourlyUsage",
    "Key",
    "LedgerEntry",
    "Limit",
    "LimitChange",
    "LimitCounter",
    "LiveSnapshot",
    "Membership",
    "ModelStatistics",
    "MoneyField",
    "Price",
    "RateCard",
    "Retention",
    "Seal",
    "Summary",
    "Team",
    "User",
    "Worker",
]
