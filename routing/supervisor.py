"""The process above several workers: it shares one listening socket among them, and keeps their number.

Each worker is ``manage.py serve`` itself, with the socket and two pipes handed down: it writes to one when it serves,
and leaves when the other ends, because its supervisor is gone. SIGTERM drains all of them, SIGHUP replaces them one by
one, each only when its successor serves.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from socket import socket
from types import FrameType
from typing import Final

from accounting.meters import SLOT_VARIABLE

logger = logging.getLogger(__name__)

WORKER_VARIABLE: Final = "TOLLGATE_WORKER"  # "socket,ready,lifeline": the file descriptors a worker is given
_LOOK_SECONDS: Final = 0.2
_START_SECONDS: Final = 60.0
_RESTART_SECONDS: Final = 1.0  # between two starts of workers that die


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    ready: int  # reads one byte when it serves
    lifeline: int  # its other end shows that this process lives
    slot: int  # the lowest number that no living worker has
    started: float = field(default_factory=time.monotonic)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def await_ready(self, seconds: float) -> bool:
        """Whether it serves within ``seconds``; False also where it has died."""
        readable, _, _ = select.select([self.ready], [], [], seconds)
        return bool(readable) and bool(os.read(self.ready, 1))

    def close(self) -> None:
        os.close(self.ready)
        os.close(self.lifeline)


class Supervisor:
    """Runs ``workers`` processes with ``command`` until it is told to end.

    ``patience``: seconds they may take to drain. ``retire`` is told the slot of each worker that has ended, before
    another gets it.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        sock: socket,
        workers: int,
        patience: float,
        retire: Callable[[int], None],
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._sock = sock
        self._count = workers
        self._patience = patience
        self._retire = retire
        self._slots: set[int] = set()
        self._workers: list[_Worker] = []
        self._leaving = False
        self._renewing = False

    def run(self) -> int:
        """Returns the exit status: 0 when every worker left as it was told to."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        signal.signal(signal.SIGHUP, self._renew)
        self._workers = [self._start() for _ in range(self._count)]
        if not self._one_serves(_START_SECONDS) and not self._leaving:
            logger.error("a worker did not start")
            self._end()
            return 1
        while not self._leaving:
            time.sleep(_LOOK_SECONDS)
            if self._renewing:
                self._renewing = False
                self._replace_all()
            self._revive()
        return self._end()

    def _leave(self, number: int, frame: FrameType | None) -> None:
        self._leaving = True

    def _renew(self, number: int, frame: FrameType | None) -> None:
        self._renewing = True

    def _start(self) -> _Worker:
        ready, says_ready = os.pipe()
        holds_on, lifeline = os.pipe()
        given = (self._sock.fileno(), says_ready, holds_on)
        slot = next(number for number in count() if number not in self._slots)
        self._slots.add(slot)
        process = subprocess.Popen(  # noqa: S603 - our own command line
            self._command,
            env=self._environment | {WORKER_VARIABLE: ",".join(map(str, given)), SLOT_VARIABLE: str(slot)},
            pass_fds=given,
        )
        os.close(says_ready)
        os.close(holds_on)
        logger.info("worker %d started", process.pid)
        return _Worker(process, ready, lifeline, slot)

    def _one_serves(self, seconds: float) -> bool:
        """Whether a worker serves within ``seconds``; False where one dies before any has served.

        From the first that serves on, the gateway is up, and a worker that dies is replaced (:meth:`_revive`), even one
        that has not served yet.
        """
        deadline = time.monotonic() + seconds
        while not self._leaving and time.monotonic() < deadline:
            readable, _, _ = select.select([worker.ready for worker in self._workers], [], [], _LOOK_SECONDS)
            if serving := [bool(os.read(ready, 1)) for ready in readable]:
                return any(serving)
        return False

    def _revive(self) -> None:
        """Starts anew what has died."""
        for place, worker in enumerate(self._workers):
            if worker.is_alive or self._leaving:
                continue
            if time.monotonic() - worker.started < _RESTART_SECONDS:
                continue  # it dies at its start: not as fast as we can
            logger.error("worker %d died (%s)", worker.process.pid, worker.process.returncode)
            self._bury(worker)
            self._workers[place] = self._start()

    def _replace_all(self) -> None:
        for place, worker in enumerate(self._workers):
            if self._leaving:
                return
            successor = self._start()
            if not successor.await_ready(_START_SECONDS):
                logger.error("a new worker did not start: the old ones stay")
                successor.process.kill()
                successor.process.wait()
                self._bury(successor)
                return
            self._workers[place] = successor
            worker.process.terminate()
            self._await_end(worker)

    def _end(self) -> int:
        """Drains every worker. 0 where all of them left well; one that has not served yet may die of the signal."""
        # Ours too: as long as one process holds it open, connections queue there that nobody will ever take.
        self._sock.close()
        for worker in self._workers:
            worker.process.terminate()
        statuses = [self._await_end(worker) for worker in self._workers]
        return 0 if all(status in (0, -signal.SIGTERM) for status in statuses) else 1

    def _await_end(self, worker: _Worker) -> int:
        try:
            status = worker.process.wait(self._patience)
        except subprocess.TimeoutExpired:
            logger.error("worker %d does not end: it is killed", worker.process.pid)  # noqa: TRY400 (no traceback)
            worker.process.kill()
            status = worker.process.wait()
        self._bury(worker)
        return status

    def _bury(self, worker: _Worker) -> None:
        worker.close()
        self._slots.discard(worker.slot)
        self._retire(worker.slot)


def command_line() -> list[str]:
    """The command that this process was started with."""
    return [sys.executable, *sys.argv]
