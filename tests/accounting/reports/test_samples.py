from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from accounting.reports import Selection
from accounting.reports.samples import Failure, Percentiles, failures, latency
from tests.accounting.company import Company, record


def test_percentiles_of_complete_requests_by_model(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(101):
        record(company, "bob", first_byte_ms=n, duration_ms=10 * n)
    record(company, "bob", model="slow", first_byte_ms=9000, duration_ms=None)
    record(company, "bob", outcome="upstream_error", duration_ms=99999)
    with django_assert_num_queries(1):
        everyone, fast, slow = latency(everything)
    assert (everyone.provider, everyone.model, everyone.requests) == ("", "", 102)
    assert fast.first_byte == Percentiles(50, 90, 95, 99)
    assert fast.duration == Percentiles(500, 900, 950, 990)
    assert (slow.model, slow.first_byte, slow.duration) == ("slow", Percentiles(9000, 9000, 9000, 9000), None)


def test_failures_by_class(company: Company, everything: Selection) -> None:
    for _ in range(6):
        record(company, "bob")
    for _ in range(3):
        record(company, "bob", outcome="upstream_error", error="Busy")
    record(company, "bob", outcome="rejected", error="BudgetSpent", provider="")
    record(company, "bob", state="open", outcome="")
    found = failures(everything)
    assert found.sampled == 10
    assert found.rate == pytest.approx(0.4)
    assert found.failures == (Failure("upstream_error", "Busy", "openai", 3), Failure("rejected", "BudgetSpent", "", 1))


def test_of_nothing(everything: Selection) -> None:
    assert latency(everything) == ()
    assert failures(everything).rate is None
