"""One worker's server: uvicorn, and how it leaves.

On SIGTERM (or SIGINT) a worker says for ``DRAIN_NOTICE_SECONDS`` that it is leaving: ``/readyz`` answers 503, and every
answer carries ``connection: close``, so that balancers and pooled connections turn to others while it still serves.
Then it takes no new connection, hears those out that it has just taken, lets running answers finish for
``DRAIN_SECONDS``, settles the ledger and ends with status 0. A second SIGINT ends it at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from routing.gateway.traffic import traffic

logger = logging.getLogger(__name__)

APPLICATION: Final = "proxysite.asgi:application"
_CLOSE: Final = (b"connection", b"close")
_TICK: Final = 0.05  # seconds between two looks
_FIRST_REQUEST_SECONDS: Final = 5.0  # for a connection to say what it wants
_HEAD_SECONDS: Final = 30.0  # for the head of a request to come whole, while the server stays
_LOOK_TICKS: Final = 50  # uvicorn's, of a tenth of a second: between two looks for connections that say nothing


def config(host: str, port: int) -> uvicorn.Config:
    """uvicorn's settings for this gateway."""
    return uvicorn.Config(
        APPLICATION,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        access_log=False,  # a request's line is written when it is settled, with what it used
        log_config=None,
        proxy_headers=False,  # TRUSTED_PROXIES says whom to believe, and it is read where addresses are
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.DRAIN_SECONDS,
        backlog=4096,
    )


class Server(uvicorn.Server):
    """uvicorn's server with a notice before it leaves, and an exit status of 0 when it was told to."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not kept for later, as uvicorn does, which then dies of the signal it has obeyed.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._silent: dict[HttpToolsProtocol, float] = {}

    async def on_tick(self, counter: int) -> bool:
        if counter % _LOOK_TICKS == 0:
            self._turn_away_the_silent()
        return await super().on_tick(counter)

    def _turn_away_the_silent(self) -> None:
        """Closes connections on which no request has begun for ``_HEAD_SECONDS``: uvicorn would keep them for ever.

        It minds only those between two requests; one that never sends a whole head would hold a file descriptor.
        """
        now = asyncio.get_running_loop().time()
        connections = [each for each in self.server_state.connections if isinstance(each, HttpToolsProtocol)]
        self._silent = {each: self._silent.get(each, now) for each in connections if _has_no_request(each)}
        for each, since in self._silent.items():
            if now - since > _HEAD_SECONDS:
                each.transport.close()

    async def main_loop(self) -> None:
        await super().main_loop()
        await self._give_notice(settings.DRAIN_NOTICE_SECONDS)

    async def _give_notice(self, seconds: float) -> None:
        traffic.draining = True
        self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
        logger.info("leaving: %d requests in flight", traffic.in_flight)
        await self._wait_while(lambda: True, seconds)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no new connection, and ends as uvicorn does, once it has heard out those it has just taken.

        uvicorn closes a connection without a request at once: it cannot tell one whose request is on its way.
        """
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        await self._wait_while(self._awaits_a_first_request, _FIRST_REQUEST_SECONDS)
        await super().shutdown(sockets)

    async def _wait_while(self, holds: Callable[[], bool], seconds: float) -> None:
        """For ``seconds`` at most, and not where somebody is in a hurry."""
        loop = asyncio.get_running_loop()
        over = loop.time() + seconds
        # Looked at, not told of: a signal's handler and uvicorn's protocols set what is looked at.
        while holds() and loop.time() < over and not self.force_exit:  # noqa: ASYNC110 (as said above)
            await asyncio.sleep(_TICK)

    def _awaits_a_first_request(self) -> bool:
        connections = self.server_state.connections
        return any(isinstance(each, HttpToolsProtocol) and each.cycle is None for each in connections)


def _has_no_request(connection: HttpToolsProtocol) -> bool:
    return not connection.cycle or (connection.cycle.response_complete and connection.timeout_keep_alive_task is None)


class Worker(Server):
    """One of several: says on ``ready`` when it serves, and leaves when ``lifeline`` ends (see ``supervisor``)."""

    def __init__(self, config: uvicorn.Config, ready: int, lifeline: int) -> None:
        super().__init__(config)
        self._ready = ready
        self._lifeline = lifeline

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            os.write(self._ready, b"1")
            os.close(self._ready)
            asyncio.get_running_loop().add_reader(self._lifeline, self._orphaned)

    def _orphaned(self) -> None:
        asyncio.get_running_loop().remove_reader(self._lifeline)
        logger.warning("the supervisor is gone")
        self.should_exit = True


def inherited(descriptor: int) -> socket.socket:
    """The listening socket that a supervisor has handed down."""
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock


def listen(host: str, port: int) -> socket.socket:
    """A socket that workers share. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.set_inheritable(True)
    return sock
