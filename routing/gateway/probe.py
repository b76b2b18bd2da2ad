"""``HEAD /`` is the client's probe; ``GET /`` is a person's first page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]


def head_or(probe: Application, page: Application) -> Application:
    """Sends HEAD to ``probe`` and every other method to ``page``."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await (probe if scope["method"] == "HEAD" else page)(scope, receive, send)

    return application
