from __future__ import annotations

from decimal import Decimal

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
