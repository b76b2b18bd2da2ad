"""Reports read the replica while it keeps up, and the primary where it does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError

from accounting import replica
from accounting.replica import LOOK_SECONDS, Positions, Replica
from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.provider import Reply, ScriptedProvider, Text, Usage


class Databases:
    """A primary and a replica as ``Replica`` sees them, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.positions: Positions | Exception = (0, 0)
        self.replica = Replica(self.look, lambda: self.now, lambda: True)

    def look(self) -> Positions:
        if isinstance(self.positions, Exception):
            raise self.positions
        return self.positions

    def alias(self, written: int, replayed: int) -> str:
        self.now += LOOK_SECONDS
        self.positions = (written, replayed)
        return self.replica.alias()


@pytest.fixture
def databases(settings: Any) -> Databases:
    settings.DATABASE_REPLICA_MAX_LAG_SECONDS = 12.0
    return Databases()


def test_whoever_asks_while_another_still_looks_goes_by_what_is_known(databases: Databases) -> None:
    databases.alias(100, 100)
    told: list[str] = []

    def slow() -> Positions:
        databases.now += 3 * LOOK_SECONDS
        told.append(databases.replica.alias())
        return (200, 200)

    databases.replica._look = slow
    databases.now += LOOK_SECONDS
    assert databases.replica.alias() == "replica"
    assert told == ["replica"]


def test_without_a_replica_the_primary_is_read() -> None:
    assert "replica" not in settings.DATABASES
    assert replica.alias() == "default"


def test_one_that_keeps_up_is_read(databases: Databases) -> None:
    assert databases.alias(100, 100) == "replica"
    assert databases.replica.lag == 0
    assert databases.alias(200, 150) == "replica", "a few seconds behind"
    assert databases.replica.lag == LOOK_SECONDS


def test_one_that_is_not_known_yet_is_not(databases: Databases) -> None:
    assert databases.alias(100, 90) == "default"
    assert databases.alias(120, 110) == "replica"


def test_one_that_stands_still_is_left_out_until_it_has_caught_up(databases: Databases) -> None:
    databases.alias(100, 100)
    found = [databases.alias(100 + n, 100) for n in range(1, 5)]
    assert found == ["replica", "replica", "default", "default"]
    assert databases.alias(105, 105) == "replica"


def test_it_is_known_how_old_the_figures_are(databases: Databases) -> None:
    databases.alias(100, 100)
    assert databases.replica.behind() == timedelta()
    databases.alias(200, 150)
    assert databases.replica.behind() == timedelta(seconds=LOOK_SECONDS)
    databases.now += 2
    assert databases.replica.behind() == timedelta(seconds=LOOK_SECONDS + 2)
    assert not databases.replica.is_left_out()
    for written in (300, 400):
        databases.alias(written, 150)
    assert databases.replica.is_left_out()
    assert databases.replica.behind() == timedelta(), "they are the primary's"


def test_an_idle_primary_makes_no_lag(databases: Databases) -> None:
    assert [databases.alias(100, 100) for _ in range(20)] == ["replica"] * 20


def test_one_that_is_away_is_left_out(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    databases.alias(100, 100)
    databases.now += LOOK_SECONDS
    databases.positions = OperationalError("gone")
    monkeypatch.setattr(replica, "connections", {"replica": type("Connection", (), {"close": lambda self: None})()})
    assert databases.replica.alias() == "default"
    assert databases.alias(100, 100) == "replica"


def test_it_is_asked_now_and_then_alone(databases: Databases) -> None:
    databases.alias(100, 100)
    databases.positions = OperationalError("not asked")
    assert databases.replica.alias() == "replica"


def _usage(gateway: Gateway) -> int:
    with gateway.client() as client:
        found = client.get("/api/usage")
        assert found.status_code == 200, found.text
        return int(found.json()["totals"]["requests"])


def test_reports_of_a_gateway_come_from_there(tmp_path: Path) -> None:
    """Two databases that differ show which one was read; then the second one goes."""
    primary, second = tmp_path / "primary.sqlite3", tmp_path / "second.sqlite3"
    with ScriptedProvider(brain=lambda seen: Reply([Text("ok")], usage=Usage(input=9, output=1))) as provider:
        environment = provider_environment(provider.base_url) | {
            "PREFERRED_PROVIDER": "openai",
            "DATABASE_URL": f"sqlite:///{primary}",
        }
        body = {"model": "openai/gpt-4o", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        with running_gateway(tmp_path, environment, server="uvicorn") as gateway, gateway.client() as client:
            assert client.post("/v1/messages", json=body).status_code == 200
            token = gateway.token
            assert _usage(gateway) == 1
        with closing(sqlite3.connect(primary)) as source, closing(sqlite3.connect(second)) as copy:
            source.backup(copy)
        environment |= {"DATABASE_REPLICA_URL": f"sqlite:///{second}"}
        with running_gateway(tmp_path, environment, server="uvicorn") as gateway, gateway.client() as client:
            gateway.token = token
            client.headers["x-api-key"] = token
            assert client.post("/v1/messages", json=body).status_code == 200
            assert _usage(gateway) == 1, "the copy does not know of the second request"
