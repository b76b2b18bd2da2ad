"""The ledger: every request that a key sends stands on it, once, with what it used and what that cost.

::

    entry      what a request holds while it is answered: open, observe, settle
    writer     the thread that writes for all requests in flight, many to a transaction
    posting    that transaction: generation, limits, rows, roll-ups, statistics
    leases     closes what a dead worker left open
    journal    where settlements go while the database is away, if that is wanted
"""

from .booking import Booking
from .entry import Entry, entry, reject
from .lifecycle import backlog, close, drain, start, stop
from .posting import Stale

__all__ = ["Booking", "Entry", "Stale", "backlog", "close", "drain", "entry", "reject", "start", "stop"]
