from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounting.pages import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (Decimal(0), "$0.00"),
        (Decimal("0.5"), "$0.50"),
        (Decimal("0.0123"), "$0.0123"),
        (Decimal("0.0000421"), "$0.000042"),
        (Decimal("-3.2"), "-$3.20"),
        (Decimal("1234567.891"), "$1,234,567.89"),
    ],
)
def test_money(value: Decimal | None, text: str) -> None:
    assert figures.money(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00k"),
        (9_999, "10.0k"),
        (99_960, "100k"),
        (999_600, "1.00M"),
        (12_345_678, "12.3M"),
    ],
)
def test_short(value: int, text: str) -> None:
    assert figures.short(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (12.4, "12 ms"), (999.9, "1000 ms"), (1234, "1.2 s"), (59_999, "60.0 s"), (125_000, "2 min 05 s")],
)
def test_duration(value: float | None, text: str) -> None:
    assert figures.duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.5, "50%"), (0.012, "1.2%"), (1.0, "100%"), (-0.25, "-25%")]
)
def test_percent(value: float | None, text: str) -> None:
    assert figures.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("1.25"), "$1.25"), (Decimal("0.075"), "$0.075"), (Decimal("15"), "$15.00"), (None, "–")],
)
def test_a_price_is_written_to_its_last_digit(value: Decimal | None, text: str) -> None:
    assert figures.rate(value) == text


def test_moments_carry_their_whole_time() -> None:
    now = timezone.now()
    assert "just now</time>" in figures.ago(now)
    assert "2\xa0hours ago</time>" in figures.ago(now - timedelta(hours=2, minutes=5))
    assert "in 3\xa0days</time>" in figures.until(now + timedelta(days=3, minutes=1))
    assert f'datetime="{now.isoformat(timespec="seconds")}"' in figures.when(now)
    assert figures.ago(None) == "never"
    assert figures.when(None) == figures.until(None) == "–"


def test_names_are_escaped_where_numbers_are_marked_up() -> None:
    assert figures.tokens(12_345) == '<span title="12,345">12.3k</span>'
