from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from accounting.reports import Filters, Period, Selection, Totals, Viewer
from accounting.reports.usage import Dimension, breakdown, compare, layers, series, totals
from tests.accounting.company import DAY, Company, days_before, settle

UTC_ZONE = ZoneInfo("UTC")
WEEK = Period(days_before(6), DAY, UTC_ZONE)


def test_totals_add_up_exactly_and_know_what_follows(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settle(company, "bob", cost=Decimal("0.1000000001"), cache_write_5m_tokens=60, cache_write_1h_tokens=40)
    settle(company, "carl", cost=Decimal("0.2"), day=days_before(6))
    settle(company, "carl", day=days_before(7))
    with django_assert_num_queries(2):  # the seals, the sums
        found = totals(everything)
    assert found.cost == Decimal("0.3000000001")
    assert found.requests == 2
    assert found.total_input_tokens == 900
    assert found.total_tokens == 1000
    assert found.cache_hit_rate == pytest.approx(600 / 900)
    assert found.mean_first_byte_ms == 400
    assert found.output_tokens_per_second == 25


def test_of_nothing_there_are_no_rates(everything: Selection) -> None:
    found = totals(everything)
    assert found == Totals()
    assert (found.cache_hit_rate, found.mean_first_byte_ms, found.mean_duration_ms) == (None, None, None)
    assert compare(everything).change("cost") is None


def test_a_breakdown_is_newest_day_first_then_costliest(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settle(company, "bob", cost=Decimal(1))
    settle(company, "bob", cost=Decimal(2), hour=3)
    settle(company, "carl", cost=Decimal(2))
    settle(company, "eve", cost=Decimal(9), day=days_before(1))
    with django_assert_num_queries(2):
        found = breakdown(everything, (Dimension.DAY, Dimension.USER))
    assert not found.truncated
    assert [
        (group.labels[Dimension.DAY].name, group.labels[Dimension.USER].name, group.totals.cost)
        for group in found.groups
    ] == [
        (DAY, "bob", Decimal(3)),
        (DAY, "carl", Decimal(2)),
        (days_before(1), "eve", Decimal(9)),
    ]
    short = breakdown(everything, (Dimension.DAY, Dimension.USER), limit=2)
    assert short.truncated
    assert short.groups == found.groups[:2]


def test_who_was_renamed_stays_one(company: Company, everything: Selection) -> None:
    settle(company, "bob")
    settle(company, "bob", user_name="robert")
    (group,) = breakdown(everything, (Dimension.USER,)).groups
    assert group.labels[Dimension.USER].id == company["bob"].pk
    assert group.totals.requests == 2


def test_who_belongs_to_nobody_has_no_id(company: Company, everything: Selection) -> None:
    settle(company, "red-service")
    (group,) = breakdown(everything, (Dimension.USER,)).groups
    assert (group.labels[Dimension.USER].name, group.labels[Dimension.USER].id) == ("", None)


@pytest.mark.parametrize("dimension", list(Dimension))
def test_every_dimension_sums_to_the_total(company: Company, everything: Selection, dimension: Dimension) -> None:
    for name in company.keys:
        settle(company, name, model=f"model-of-{name}", outcome="complete" if name == "bob" else "interrupted")
    groups = breakdown(everything, (dimension,)).groups
    assert sum((group.totals for group in groups), Totals()) == totals(everything)


def test_a_series_has_every_day_of_the_period(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settle(company, "bob", day=days_before(2))
    with django_assert_num_queries(2):
        points = series(everything)
    assert [point.at for point in points] == [days_before(n) for n in range(6, -1, -1)]
    assert [point.totals.requests for point in points] == [0, 0, 0, 0, 1, 0, 0]


def test_days_of_another_time_zone_are_put_together_from_hours(company: Company, everything: Selection) -> None:
    settle(company, "bob", day=DAY, hour=2)  # 21:00 the day before in New York
    settle(company, "bob", day=DAY, hour=20)
    elsewhere = everything.during(replace(WEEK, tz=ZoneInfo("America/New_York")))
    there = {point.at: point.totals.requests for point in series(elsewhere)}
    assert (there[days_before(1)], there[DAY]) == (1, 1)
    assert {point.at: point.totals.requests for point in series(everything)}[DAY] == 2
    assert totals(elsewhere).requests == 2


def test_hours(company: Company, everything: Selection) -> None:
    settle(company, "bob", hour=7)
    points = series(everything.during(Period(DAY, DAY, UTC_ZONE)), hourly=True)
    assert [point.totals.requests for point in points] == [int(hour == 7) for hour in range(24)]


@pytest.mark.parametrize("hourly", [False, True])
def test_layers_sum_to_the_series(
    company: Company, everything: Selection, hourly: bool, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n, name in enumerate(company.keys):
        settle(company, name, cost=Decimal(n), day=days_before(n % 3))
    with django_assert_num_queries(3):
        found = layers(everything, Dimension.USER, top=2, hourly=hourly)
    assert [layer.label and layer.label.name for layer in found] == ["", "root", None]
    whole = series(everything, hourly=hourly)
    for n, point in enumerate(whole):
        assert sum((layer.points[n].totals for layer in found), Totals()) == point.totals


def test_layers_without_a_rest(company: Company, everything: Selection) -> None:
    settle(company, "bob", tier="")
    (only,) = layers(everything, Dimension.TIER)
    assert only.label is not None
    assert only.label.name == ""


def test_compare(company: Company, everything: Selection) -> None:
    settle(company, "bob", cost=Decimal(3))
    settle(company, "bob", cost=Decimal(2), day=days_before(7))
    found = compare(everything)
    assert found.change("cost") == 0.5
    assert found.change("requests") == 0


def test_filters_narrow(company: Company, everything: Selection) -> None:
    settle(company, "bob", model="one", provider="p")
    settle(company, "carl", model="two", provider="p")
    assert totals(everything.narrowed(model="one")).requests == 1
    assert totals(everything.narrowed(provider="p", user_id=company["carl"].pk)).requests == 1
    assert totals(everything.narrowed(team_id=company.red.pk, model="two")).requests == 0
    assert Filters().as_lookups() == {}


def test_filters_never_widen_what_is_seen(company: Company) -> None:
    settle(company, "carl")
    mine = Selection(Viewer.of_user(company["bob"]), WEEK)
    others = {"user_id": company["carl"].pk, "team_id": company.blue.pk, "key_id": company.keys["carl"].pk}
    for name, value in others.items():
        assert totals(mine.narrowed(**{name: value})).requests == 0
