"""How a task of the live view is ended."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.5


async def end(task: asyncio.Task[Any]) -> None:
    """Cancels ``task`` and waits until it is over.

    Again and again, for one word may be lost: until Python 3.12 ``asyncio.wait_for``, by which redis-py sends, forgets
    a cancellation that comes with the result (python/cpython#81839).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
