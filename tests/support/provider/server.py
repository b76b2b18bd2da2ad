"""The provider in a thread of its own, scripted and read from the outside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from .app import Surface
from .brains import Brain, echo
from .desk import Desk, Hook
from .record import Seen
from .script import Answer, Fail
from .seal import Seal

_START_TIMEOUT = 10.0
_CLOSE_GRACE = 0.2
"""Seconds that answers under way get when the provider stops."""


class ScriptedProvider:
    """Four dialects on one loopback port.

    ::

        with ScriptedProvider() as provider:
            provider.reply(Reply([Text("hello")]))
            ...                                    # a request to provider.base_url
            assert provider.requests[0].body["model"] == "gpt-5.1"

    The arguments are those of :class:`~.desk.Desk`; ``port=0`` takes a free one. Works the same in tests with and
    without an event loop: the provider runs in a thread with its own.
    """

    def __init__(
        self,
        *,
        brain: Brain = echo,
        strict: bool = True,
        api_key: str | None = None,
        known: Sequence[str] | None = None,
        log: Path | None = None,
        port: int = 0,
    ) -> None:
        self.desk = Desk(brain, strict=strict, api_key=api_key, known=known, log=log)
        self.port = port
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scripted-provider", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_START_TIMEOUT):
            raise TimeoutError("the scripted provider did not start")
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop serving and end every silence; a second time does nothing."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_START_TIMEOUT)

    @property
    def base_url(self) -> str:
        """``http://127.0.0.1:PORT``: what an SDK gets, ``/v1`` or ``/v1beta`` appended."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Seen]:
        """Everything seen so far, in order of arrival."""
        return self.desk.record.all()

    @property
    def inferences(self) -> list[Seen]:
        """The inference requests among them."""
        return [seen for seen in self.requests if seen.purpose == "inference"]

    @property
    def refusals(self) -> list[str]:
        """Bodies of the vendors' refusals: empty if every request kept every rule."""
        return [seen.refusal for seen in self.requests if seen.refusal is not None]

    @property
    def seal(self) -> Seal:
        """What this provider signs with: lets a test write a valid signature."""
        return self.desk.seal

    @property
    def pending(self) -> int:
        """Scripted answers not used yet."""
        return self.desk.pending()

    def reply(self, *answers: Answer) -> None:
        """Queue answers for the next inference requests (a refused request uses none up)."""
        self.desk.queue(answers)

    def counts(self, *counts: int | Fail) -> None:
        """Queue answers for the next token counts."""
        self.desk.queue_counts(counts)

    def on(self, hook: Hook) -> None:
        """Ask ``hook(seen)`` before the queue; None passes on. It runs in the provider's thread."""
        self.desk.hook(hook)

    def clear(self) -> None:
        """Drop queue, hooks and record; brain and settings stay."""
        self.desk.clear()

    def wait_for_request(self, index: int = 0, timeout: float = 5.0) -> Seen:
        """Block until request ``index`` has arrived."""
        return self.desk.record.wait(index, lambda seen: True, timeout, "did not arrive")

    def wait_for_end(self, index: int = 0, timeout: float = 5.0) -> Seen:
        """Block until request ``index`` is over, by either side."""
        return self.desk.record.wait(
            index, lambda seen: seen.finished is not None or seen.disconnected is not None, timeout, "did not end"
        )

    def wait_for_disconnect(self, index: int = 0, timeout: float = 5.0) -> Seen:
        """Block until the client of request ``index`` has left before the end of the answer."""
        seen = self.wait_for_end(index, timeout)
        if seen.disconnected is None:
            raise AssertionError(f"request {index} was answered in full; the client did not leave: {seen}")
        return seen

    async def disconnected(self, index: int = 0, timeout: float = 5.0) -> Seen:  # noqa: ASYNC109 - a thread's wait
        """:meth:`wait_for_disconnect` for async tests."""
        return await asyncio.to_thread(self.wait_for_disconnect, index, timeout)

    async def arrived(self, index: int = 0, timeout: float = 5.0) -> Seen:  # noqa: ASYNC109 - a thread's wait
        """:meth:`wait_for_request` for async tests."""
        return await asyncio.to_thread(self.wait_for_request, index, timeout)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self.desk, self.port) as port:
            self.port = port
            self._started.set()
            await self._stop.wait()


class serving:  # noqa: N801 - reads as a verb at its only use: async with serving(...)
    """``async with serving(desk, port) as port``: the provider on the running loop."""

    def __init__(self, desk: Desk, port: int) -> None:
        self._surface = Surface(desk)
        self._wanted = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> int:
        self._runner = web.AppRunner(
            self._surface.application(),
            handler_cancellation=True,
            shutdown_timeout=_CLOSE_GRACE,
            access_log=None,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._wanted)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._surface.closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
