"""What the gateway costs, against what, measured how: ``python -m benchmarks`` (``make bench``).

::

    bodies     requests of Claude Code's shape, in three sizes
    processes  a server in a process group of its own, on a core of its own: CPU time, memory, start time
    columns    the ways to the provider: direct, a bare relay, this gateway, LiteLLM's proxy
    load       the load generator: one asyncio protocol a connection
    rows       what is measured
    soak       a long run at a steady load: memory, files, latency
    report     the table, the ratios, the JSON file

The server under test has core 0 to itself; the load generator and the provider (``tests.support.provider --baked``)
share core 1. Absolute figures depend on the machine; the ratios within one run are what counts.
"""
