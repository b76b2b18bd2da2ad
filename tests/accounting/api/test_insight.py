from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.accounting.company import DAY, Company, record, settle

from .conftest import As

PERIOD = {"since": DAY.isoformat(), "until": DAY.isoformat()}


def test_latency_and_failures(company: Company, as_: As) -> None:
    record(company, "bob")
    record(company, "bob", outcome="upstream_error", error="Busy")
    everyone, model = as_("ada").get("/api/usage/latency", PERIOD).json()["results"]
    assert (everyone["model"], everyone["requests"], everyone["first_byte"]["p50"]) == ("", 1, 400.0)
    assert model["model"] == "gpt-4o"
    failures = as_("ada").get("/api/usage/failures", PERIOD).json()
    assert (failures["sampled"], failures["rate"]) == (2, 0.5)
    assert failures["results"] == [{"outcome": "upstream_error", "error": "Busy", "provider": "openai", "requests": 1}]


def test_forecast(company: Company, as_: As) -> None:
    settle(company, "bob", day=timezone.now().date(), cost=Decimal("1.5"))
    found = as_("bob").get("/api/usage/forecast").json()
    assert (found["so_far"], found["expected"], found["days_known"]) == ("1.5", "1.5", 0)


def test_what_if_and_unpriced(company: Company, as_: As) -> None:
    settle(company, "bob", unpriced=1, model="mystery")
    wanted = PERIOD | {"candidates": "openai/gpt-4o,nobody/nothing"}
    listed, unknown = as_("bob").get("/api/usage/what-if", wanted).json()["results"]
    assert (listed["provider"], listed["model"], Decimal(listed["cost"]) > 0) == ("openai", "gpt-4o", True)
    assert unknown["cost"] is None
    assert as_("bob").get("/api/usage/what-if", {"candidates": "nonsense"}).status_code == 400
    found = as_("bob").get("/api/usage/unpriced", PERIOD).json()["results"]
    assert found == [{"provider": "openai", "model": "mystery", "requests": 1}]


@pytest.mark.parametrize("path", ["latency", "failures", "what-if", "unpriced", "sessions"])
def test_every_list_is_csv_too(company: Company, as_: As, path: str) -> None:
    settle(company, "bob", unpriced=1)
    record(company, "bob", session_id="one", first_byte_ms=7)
    record(company, "bob", session_id="two", outcome="upstream_error", error="ProviderBusy")
    asked = {"since": DAY.isoformat(), "until": DAY.isoformat()}
    rows = as_("bob").get(f"/api/usage/{path}", asked).json()["results"]
    answer = as_("bob").get(f"/api/usage/{path}", asked | {"format": "csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(lines) == len(rows) > 0
    for row, line in zip(rows, lines, strict=True):
        flat: dict[str, object] = {}
        for name, value in row.items():
            flat |= (
                {f"{name}_{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
            )
        assert line == {name: "" if value is None else str(value) for name, value in flat.items()}
