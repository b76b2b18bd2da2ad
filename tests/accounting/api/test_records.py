from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import AsyncClient

from accounting.api import records
from tests.accounting.company import DAY, Company, found_company, record

from .conftest import As

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PERIOD = {"since": DAY.isoformat(), "until": DAY.isoformat()}


def test_pages_of_records_hold_each_once(company: Company, as_: As) -> None:
    made = [record(company, "bob", started_at=NOON + timedelta(minutes=n // 3)) for n in range(10)]
    record(company, "carl")
    path, seen = f"/api/usage/records?page_size=4&since={DAY}&until={DAY}", []
    while path:
        page = as_("ada").get(path).json()
        seen += [row["request_id"] for row in page["results"]]
        path = page["next"]
    assert sorted(seen) == sorted(row.request_id for row in made)


def test_a_record_tells_what_the_ledger_knows(company: Company, as_: As) -> None:
    entry = record(company, "bob", cost=None, exact=False, session_id="s", error="Busy", outcome="upstream_error")
    row = as_("ada").get(f"/api/usage/records/{entry.request_id}").json()
    assert (row["user"], row["team"], row["cost"], row["exact"]) == ("bob", "red", None, False)
    assert (row["outcome"], row["error"], row["model"]) == ("upstream_error", "Busy", "gpt-4o")
    assert as_("grace").get(f"/api/usage/records/{entry.request_id}").status_code == 404


def test_records_of_a_session(company: Company, as_: As) -> None:
    mine = record(company, "bob", session_id="s")
    record(company, "bob")
    page = as_("bob").get("/api/usage/records", PERIOD | {"session_id": "s"}).json()
    assert [row["request_id"] for row in page["results"]] == [mine.request_id]


def test_a_wrong_cursor_is_told(company: Company, as_: As) -> None:
    answer = as_("bob").get("/api/usage/records", {"cursor": "nonsense"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


def test_the_number_of_queries_is_that_of_one_page(
    company: Company, as_: As, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        record(company, "bob")
    with django_assert_max_num_queries(5):
        as_("ada").get("/api/usage/records", PERIOD)


@pytest.mark.django_db(transaction=True)
async def test_an_export_is_written_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_EXPORT_CHUNK", 3)
    company, ids = await database_sync_to_async(_ten_records)()
    headers = {"x-api-key": company.tokens["ada"]}
    answer: Any = await AsyncClient().get("/api/usage/records.csv", PERIOD, headers=headers)
    assert answer.status_code == 200
    chunks = [chunk async for chunk in answer.streaming_content]
    assert len(chunks) == 1 + 4
    rows = list(csv.DictReader(io.StringIO(b"".join(chunks).decode())))
    assert [row["request_id"] for row in rows] == ids
    assert rows[0]["cost"] == "0.25"
    assert rows[0]["client"] == "'=1+1"
    refused: Any = await AsyncClient().get("/api/usage/records.csv", {"since": "x"}, headers=headers)
    assert refused.status_code == 400


def _ten_records() -> tuple[Company, list[str]]:
    company = found_company()
    made = [record(company, "bob", started_at=NOON + timedelta(minutes=n // 2), client="=1+1") for n in range(10)]
    record(company, "carl")
    return company, [row.request_id for row in sorted(made, key=lambda row: (row.started_at, row.id), reverse=True)]


def test_sessions_and_their_agents(company: Company, as_: As) -> None:
    record(company, "bob", session_id="s", cost=Decimal(1))
    record(company, "bob", session_id="s", agent_id="a", cost=Decimal(2), started_at=NOON + timedelta(minutes=1))
    (session,) = as_("ada").get("/api/usage/sessions", PERIOD).json()["results"]
    assert (session["session_id"], session["agents"], session["totals"]["cost"]) == ("s", 2, "3")
    (rest,) = (as_("ada").get("/api/usage/sessions", PERIOD | {"before": session["last_at"]}).json()["results"],)
    assert rest == []
    tree = as_("ada").get("/api/usage/sessions/s").json()["agents"]
    assert [(agent["agent_id"], agent["depth"]) for agent in tree] == [("", 0), ("a", 1)]
    assert (tree[0]["own"]["cost"], tree[0]["whole"]["cost"]) == ("1", "3")
