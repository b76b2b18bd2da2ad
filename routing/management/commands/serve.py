"""``manage.py serve``: the server for real use."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounting import meters
from routing import server, supervisor

_MARGIN = 30.0  # seconds beyond the drain, for the ledger to be settled


class Command(BaseCommand):
    help = "Serve the gateway with uvicorn (uvloop, httptools). SIGTERM lets running answers finish, then exits 0."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (HOST)")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port to listen on (PORT)")
        parser.add_argument("--workers", type=int, default=settings.WORKERS, help="worker processes (WORKERS)")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        if workers < 1:
            raise CommandError("--workers: at least one.")
        if not 0 < port < 65536:
            raise CommandError("--port: 1 to 65535.")
        if given := os.environ.get(supervisor.WORKER_VARIABLE):
            self._work(host, port, *map(int, given.split(",")))
        elif workers == 1:
            self._serve_alone(host, port)
        else:
            self._supervise(host, port, workers)

    def _serve_alone(self, host: str, port: int) -> None:
        running = server.Server(server.config(host, port))
        running.run()
        if not running.started:
            sys.exit(1)

    def _work(self, host: str, port: int, sock: int, ready: int, lifeline: int) -> None:
        """One of several workers, below a supervisor."""
        running = server.Worker(server.config(host, port), ready, lifeline)
        running.run(sockets=[server.inherited(sock)])
        if not running.started:
            sys.exit(1)

    def _supervise(self, host: str, port: int, workers: int) -> None:
        try:
            sock = server.listen(host, port)
        except OSError as error:
            raise CommandError(f"{host}:{port}: {error.strerror}") from error
        patience = settings.DRAIN_NOTICE_SECONDS + settings.DRAIN_SECONDS + _MARGIN
        with sock, tempfile.TemporaryDirectory(prefix="tollgate-metrics-") as metrics:
            environment = os.environ | {meters.DIRECTORY_VARIABLE: metrics}
            retire = partial(meters.retire, directory=metrics)
            command = supervisor.command_line()
            sys.exit(supervisor.Supervisor(command, environment, sock, workers, patience, retire).run())
