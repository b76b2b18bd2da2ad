"""What every test lives under: no network but loopback, and no blocking call inside the event loop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connections
from pytest_socket import enable_socket, socket_allow_hosts

from accounting import ledger
from accounting.models import Generation
from tests.support.detector.sitecustomize import forbid_blocking_calls

forbid_blocking_calls(of=["routing", "accounting"])

# Redis is one for all: what another process of the run, or a gateway under test, tells its live pages is not for ours.
if settings.REDIS_URL:
    layers: dict[str, Any] = settings.CHANNEL_LAYERS
    layers["default"]["CONFIG"]["prefix"] = f"test-{os.getpid()}"

# A property holds or not, however busy the machine is: time is the business of --timeout. The same examples every time,
# so that CI fails for a change and for nothing else; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile("tollgate", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tollgate"))


@pytest.fixture(autouse=True)
def _network_off() -> Iterator[None]:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def live_ledger(transactional_db: None) -> Iterator[None]:
    """A database that the ledger's writer, a thread with a connection of its own, sees and then lets go of.

    So does the thread in which asynchronous tests use the ORM.
    """
    Generation.objects.get_or_create(pk=1)  # the flush between tests took it
    yield
    ledger.close()
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
