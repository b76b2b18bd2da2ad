"""Prices: which are in force, and what is done to many of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounting.models import Generation, Price, User
from accounting.pricing import PriceBook, Sale

pytestmark = pytest.mark.django_db
LIST = "/admin/accounting/price/"
NOW = timezone.now()


def price(model: str = "gpt-5.1", *, begins: int = -10, ends: int | None = None, **fields: Any) -> Price:
    """In force for some days from now."""
    until = None if ends is None else NOW + timedelta(days=ends)
    given = {"provider": "openai", "model": model, "input": Decimal("1.25"), "output": Decimal(10)}
    begin = NOW + timedelta(days=begins)
    return Price.objects.create(**given | {"effective_from": begin, "effective_until": until} | fields)


def act(client: Client, action: str, *prices: Price) -> str:
    """Chooses the prices in the list, and returns where the action leads."""
    answer = client.post(LIST, {"action": action, "_selected_action": [str(one.pk) for one in prices]})
    assert answer.status_code == 302
    return str(answer["location"])


def charged(at: datetime, model: str = "gpt-5.1") -> Decimal | None:
    """Dollars for a million tokens of input."""
    sale = Sale(provider="openai", family="openai", model=model, service_tier="", total_input=1, at=at)
    rates = PriceBook(Price.objects.all()).rates(sale)
    return None if rates is None or rates.input is None else rates.input * 1_000_000


@pytest.mark.parametrize(("state", "wanted"), [("now", "gpt-now"), ("later", "gpt-later"), ("ended", "gpt-ended")])
def test_the_list_says_which_are_in_force(admin_client: Client, state: str, wanted: str) -> None:
    price("gpt-now"), price("gpt-later", begins=1), price("gpt-ended", ends=-1)
    page = admin_client.get(LIST)
    assert all(said in page.content.decode() for said in ("in force", "to come", "ended", "$1.25"))
    assert [one.model for one in admin_client.get(LIST, {"state": state}).context["cl"].result_list] == [wanted]


def test_prices_change_by_per_cent_and_what_was_charged_stands(admin_client: Client) -> None:
    first, other = price(cache_read=Decimal("0.125")), price("gpt-4o", input=None)
    generation = Generation.read()
    asked = act(admin_client, "change_by_percent", first, other)
    assert "$1.25" in admin_client.get(asked).content.decode()
    assert admin_client.post(asked, {"percent": "-20", "note": "a rebate"}).status_code == 302
    assert Generation.read() > generation
    assert charged(timezone.now()) == 1
    assert charged(NOW - timedelta(days=1)) == Decimal("1.25")
    new = Price.objects.filter(model="gpt-4o").latest("effective_from")
    assert (new.input, new.output, new.note) == (None, 8, "a rebate")
    assert Price.objects.filter(model="gpt-5.1").latest("effective_from").cache_read == Decimal("0.1")
    assert LogEntry.objects.get_for_object(new).get().actor == User.objects.get()


def test_what_is_to_come_is_changed_itself_and_the_superseded_is_left(admin_client: Client) -> None:
    old, now, later = price(begins=-20), price(begins=-5, input=Decimal(2)), price("gpt-4o", begins=5)
    ended = price("gpt-4", ends=-1)
    asked = act(admin_client, "change_by_percent", old, now, later, ended)
    page = admin_client.get(asked).content.decode()
    assert "left as it is: a newer one is in its place" in page
    assert "left as it is: it has ended by then" in page
    admin_client.post(asked, {"percent": "100"})
    assert Price.objects.count() == 5
    assert charged(timezone.now()) == 4
    later.refresh_from_db()
    assert later.input == Decimal("2.5")


def test_a_change_begins_when_it_is_said_to(admin_client: Client) -> None:
    asked = act(admin_client, "change_by_percent", price())
    day = timezone.localtime(NOW + timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    admin_client.post(asked, {"percent": "10", "since": day.strftime("%Y-%m-%dT%H:%M")})
    assert (charged(day - timedelta(seconds=1)), charged(day)) == (Decimal("1.25"), Decimal("1.375"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"percent": "x"}, "Enter a number"),
        ({"percent": "-101"}, "greater than or equal to -100"),
        ({"percent": "5", "since": "2020-01-01T00:00"}, "The time is past"),
        ({"percent": "5", "since": "soon"}, "Enter a valid date"),
    ],
)
def test_a_change_that_makes_no_sense_is_told_of(admin_client: Client, given: dict[str, str], said: str) -> None:
    asked = act(admin_client, "change_by_percent", price())
    assert said in admin_client.post(asked, given).content.decode()
    assert Price.objects.count() == 1


def test_all_are_changed_or_none(admin_client: Client) -> None:
    asked = act(admin_client, "change_by_percent", price(), price("gpt-4o", input=Decimal(99_999_999)))
    assert "no more than" in admin_client.post(asked, {"percent": "1000"}).content.decode()
    assert Price.objects.count() == 2


def test_prices_are_ended_at_once(admin_client: Client) -> None:
    page = act(admin_client, "end_now", price(), price("gpt-4o", begins=1))
    assert "1 have not begun yet" in admin_client.get(page).content.decode()
    assert charged(NOW - timedelta(days=1)) == Decimal("1.25")
    assert Price.objects.filter(effective_until=None).get().model == "gpt-4o"


def test_who_may_not_change_prices_is_offered_no_change(client: Client) -> None:
    price()
    client.force_login(User.objects.create_user("eve", is_staff=True))
    assert client.get(f"{LIST}percent/").status_code == 403
