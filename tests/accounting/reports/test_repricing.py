from __future__ import annotations

from decimal import Decimal

from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounting.models import Price
from accounting.reports import Selection
from accounting.reports.repricing import Candidate, unpriced, what_if
from tests.accounting.company import Company, settle


def test_the_same_tokens_on_other_models(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Price.objects.create(
        provider="house",
        model="cheap",
        input=Decimal(1),
        cache_read=Decimal("0.1"),
        output=Decimal(2),
        effective_from=timezone.now(),
    )
    settle(company, "bob", requests=2, input_tokens=1_000_000, cache_read_tokens=2_000_000, output_tokens=500_000)
    wanted = [Candidate("house", "cheap"), Candidate("openai", "gpt-4o"), Candidate("nobody", "nothing")]
    with django_assert_num_queries(3):
        found = what_if(everything, wanted)
    assert found.actual.requests == 2
    cheap, listed, unknown = found.alternatives
    assert (cheap.candidate, cheap.cost) == (wanted[0], Decimal("2.2"))
    assert listed.candidate == wanted[1]
    assert listed.cost is not None
    assert listed.cost > Decimal("2.2")
    assert (unknown.candidate, unknown.cost) == (wanted[2], None)


def test_the_models_in_use_are_the_default(company: Company, everything: Selection) -> None:
    settle(company, "bob")
    settle(company, "bob", provider="gemini", model="gemini-2.5-flash")
    settle(company, "bob", provider="", model="", outcome="rejected")
    found = {(one.candidate.family, one.candidate.model) for one in what_if(everything).alternatives}
    assert found == {("openai", "gpt-4o"), ("gemini", "gemini-2.5-flash")}


def test_nothing_used_costs_nothing(everything: Selection) -> None:
    (only,) = what_if(everything, [Candidate("openai", "gpt-4o")]).alternatives
    assert only.cost == 0


def test_candidates_are_written_as_in_the_price_list() -> None:
    assert Candidate.parse("openai/gpt-4o") == Candidate("openai", "gpt-4o")
    assert Candidate.parse("bedrock/us.anthropic/x") == Candidate("bedrock", "us.anthropic/x")
    assert [Candidate.parse(name) for name in ("gpt-4o", "/x", "x/", "")] == [None] * 4


def test_unpriced(company: Company, everything: Selection) -> None:
    settle(company, "bob")
    settle(company, "bob", model="mystery", requests=3, unpriced=2, cost=Decimal(1))
    settle(company, "carl", model="riddle", requests=1, unpriced=1, cost=Decimal(0))
    mystery, riddle = unpriced(everything)
    assert (mystery.model, mystery.requests) == ("mystery", 2)
    assert (riddle.model, riddle.requests) == ("riddle", 1)
