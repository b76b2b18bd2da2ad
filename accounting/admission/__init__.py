"""Who may use how much: limits and budgets are reserved from before a request leaves, and settled after it.

::

    policies   the limits in force, in memory, found by caller and model
    periods    when a budget's period begins and ends
    counters   how much of each is used, locked in the database for the length of a transaction
    gate       the decision: reserve, refuse, settle, release

Nothing here adds up the ledger on the request path, and nobody without a limit is ever refused.
"""

# The ledger's writer decides through the modules here, which speak of the ledger's bookings: whoever comes in by this
# door first waits until the ledger, bookings first, is there.
import accounting.ledger  # noqa: F401 (for its effect)
