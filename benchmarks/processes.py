"""Servers as process groups of their own: pinned to cores, waited for, measured, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

START_SECONDS: Final = 120.0
_TICK: Final = os.sysconf("SC_CLK_TCK")
_CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORES: Final = frozenset(_CORES[:1])
LOAD_CORES: Final = frozenset(_CORES[1:2] or _CORES)
ALL_CORES: Final = frozenset(_CORES)


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """What is started inside, runs on ``cores``: a process inherits the affinity of the thread that starts it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """One server and its children, until ``stop``. ``start_seconds`` is from its start to its first answer."""

    def __init__(
        self, command: Sequence[str], port: int, log: Path, environment: Mapping[str, str], cores: frozenset[int]
    ) -> None:
        self.port = port
        self._log = log
        began = time.monotonic()
        with pinned(cores), log.open("wb") as out:
            self._process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
        self._await(began + START_SECONDS)
        self.start_seconds = time.monotonic() - began

    def stop(self) -> None:
        """SIGTERM, then SIGKILL, to the process group."""
        for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                pass
            return

    @property
    def cpu_seconds(self) -> float:
        """User and system time of the whole process group so far."""
        return sum(cpu_seconds(pid) for pid in self._pids())

    @property
    def rss(self) -> int:
        """Resident bytes of the whole process group now."""
        return sum(_status(pid, "VmRSS") for pid in self._pids())

    @property
    def peak_rss(self) -> int:
        """The most resident bytes so far, summed over the group's processes."""
        return sum(_status(pid, "VmHWM") for pid in self._pids())

    @property
    def open_files(self) -> int:
        """File descriptors of the whole process group now, sockets included."""
        return sum(_descriptors(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _group(pid) == self._process.pid]

    def _await(self, deadline: float) -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                pass
            else:
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._process.args!r} did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _descriptors(pid: int) -> int:
    """0 where the process is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cpu_seconds(pid: int) -> float:
    """User and system time of one process; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _status(pid: int, name: str) -> int:
    """A line of /proc/PID/status, in bytes; 0 where the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":")), 0)
