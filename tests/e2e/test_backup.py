"""A backup made while requests run, and a gateway that begins again from it: the ledger is whole and adds up."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.provider import Reply, ScriptedProvider, Text, Usage

REQUESTS = 40
BODY = {"model": "openai/gpt-4o", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


def _rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def _ask(gateway: Gateway) -> int:
    with gateway.client() as client:
        return client.post("/v1/messages", json=BODY).status_code


def test_a_backup_under_load_is_whole_and_serves_again(tmp_path: Path) -> None:
    with ScriptedProvider(brain=lambda seen: Reply([Text("ok")], usage=Usage(input=100, output=10))) as provider:
        environment = provider_environment(provider.base_url) | {"PREFERRED_PROVIDER": "openai"}
        (tmp_path / "first").mkdir()
        with running_gateway(tmp_path / "first", environment, server="uvicorn") as gateway:
            if gateway.environment["DATABASE_URL"].startswith("postgres"):
                refused = gateway.manage("backup", str(tmp_path / "copy.sqlite3"), check=False)
                assert "pg_dump" in refused
                return
            assert _ask(gateway) == 200
            with ThreadPoolExecutor(4) as pool:
                asking = [pool.submit(_ask, gateway) for _ in range(REQUESTS)]
                printed = gateway.manage("backup", str(tmp_path / "copy.sqlite3"))
                assert {each.result() for each in asking} == {200}
            assert "whole" in printed
            assert "exists" in gateway.manage("backup", str(tmp_path / "copy.sqlite3"), check=False)
            token, live = gateway.token, tmp_path / "first" / "gateway.sqlite3"
            ids = {row[0] for row in _rows(live, "SELECT id FROM accounting_ledgerentry")}
        copied = _rows(tmp_path / "copy.sqlite3", "SELECT id FROM accounting_ledgerentry")
        assert copied
        assert {row[0] for row in copied} <= ids

        (tmp_path / "second").mkdir()
        shutil.copy(tmp_path / "copy.sqlite3", tmp_path / "second" / "gateway.sqlite3")
        with running_gateway(tmp_path / "second", environment, server="uvicorn") as restored:
            restored.token = token
            assert _ask(restored) == 200, "the same key, the same provider's credential"
            assert "equal the ledger" in restored.manage("rebuild_rollups", "--check")
            kept = _rows(tmp_path / "second" / "gateway.sqlite3", "SELECT count(*) FROM accounting_ledgerentry")
            assert kept[0][0] == len(copied) + 1


@pytest.mark.django_db
def test_a_path_that_cannot_be_written_is_told() -> None:
    from django.core.management import CommandError, call_command
    from django.db import connection

    told = "No such file" if connection.vendor == "sqlite" else "pg_dump"
    with pytest.raises(CommandError, match=told):
        call_command("backup", "/nowhere/at/all.sqlite3")
