"""What a worker does before its first request and after its last (ASGI lifespan).

Daphne has no lifespan; there each part starts itself when the first request needs it.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from typing import Any, Final

from django.conf import settings

from accounting import ledger, live
from routing.table import tables
from routing.upstream import http

from . import tracing
from .metrics import sampler
from .traffic import traffic

_FAREWELL_SECONDS: Final = 5.0  # for requests that were cancelled, to order their rows settled
_SWITCH_SECONDS: Final = 0.0005
_GC_YOUNG: Final = 20_000  # container objects made before the youngest are looked through; Python's own figure is 700
logger = logging.getLogger(__name__)


class Lifespan:
    """The lifespan application: warm before the first request, settled after the last."""

    def __init__(self) -> None:
        # Here and not at startup: a server without lifespan events is as patient with providers as any other.
        http.timeouts.connect = settings.UPSTREAM_CONNECT_SECONDS
        http.timeouts.silence = settings.UPSTREAM_SILENCE_SECONDS

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await startup()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await shutdown()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def startup() -> None:
    """Routing table read and watched, the ledger's writer running."""
    await tables.current()
    await ledger.start()
    tracing.start()
    sampler.start()
    tune_interpreter()


def tune_interpreter() -> None:
    """Fits Python to an event loop beside one busy thread, and to bodies of thousands of objects.

    What a start leaves behind (Django, its admin, the tables) is taken out of the garbage collector's sight: a full
    collection would walk half a million objects that never go. Rarer collections cost a little memory; reference
    counting frees nearly everything by itself.

    The ledger's thread gives up the interpreter's lock with each statement, and must wait for it while the event loop
    is busy: at Python's own 5 ms, a transaction of ten statements takes 50 ms.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_YOUNG, 20, 20)


async def shutdown() -> None:
    """Everything in memory is on the ledger, and every connection closed, when this returns."""
    traffic.draining = True
    await traffic.emptied(_FAREWELL_SECONDS)
    await sampler.stop()
    await live.stop()
    await ledger.stop()
    await tables.close()
    await http.close()
    await asyncio.to_thread(tracing.stop)
