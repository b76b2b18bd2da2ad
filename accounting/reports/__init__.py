"""Reports: plain functions from a ``Selection`` to frozen dataclasses, for pages, API, mail and status line alike.

::

    Viewer       who looks: a member sees their own usage, a lead also their teams', an admin all
    Period       which days, in which time zone
    Filters      which person, team, key, model, ...
    Selection    the three together; the only way to the roll-ups and to the ledger

Everything but single records, sessions and samples is read from the roll-ups, so that a report costs what its period
and people cost and not what the ledger has grown to.
"""

from .measures import Totals
from .period import MAX_DAYS, InvalidPeriod, Period
from .selection import Filters, Selection
from .viewer import NOBODY, Viewer

__all__ = ["MAX_DAYS", "NOBODY", "Filters", "InvalidPeriod", "Period", "Selection", "Totals", "Viewer"]
