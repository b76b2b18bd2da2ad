from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tests.accounting.company import DAY, Company, settle

from .conftest import As

PERIOD = {"since": "2026-03-01", "until": "2026-03-31"}


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("bob", {"bob"}),
        ("ada", {"ada", "bob", "eve", ""}),
        ("red-service", {"ada", "bob", "eve", ""}),
        ("grace", {"grace", "carl"}),
        ("root", {"root", "ada", "bob", "eve", "grace", "carl", ""}),
    ],
)
def test_sums_by_user_asked_model_real_model_and_day(company: Company, as_: As, who: str, seen: set[str]) -> None:
    for name in company.keys:
        settle(company, name)
        settle(company, name, hour=3)
    answer = as_(who).get("/api/usage", PERIOD)
    assert answer.status_code == 200
    data = answer.json()
    assert {row["user"] for row in data["results"]} == seen
    row = data["results"][0]
    assert row["day"] == DAY.isoformat()
    assert (row["asked_model"], row["provider"], row["model"]) == ("claude-sonnet-4-5", "openai", "gpt-4o")
    assert (row["requests"], row["input_tokens"], row["cache_read_tokens"], row["output_tokens"]) == (2, 200, 600, 100)
    assert row["cost"] == "0.5"
    assert data["totals"]["requests"] == 2 * len(seen)
    assert Decimal(data["totals"]["cost"]) == Decimal("0.5") * len(seen)
    assert data["period"] == {"since": "2026-03-01", "until": "2026-03-31", "tz": "UTC"}


def test_the_last_thirty_days_are_the_default(company: Company, as_: As) -> None:
    today = timezone.now().date()
    settle(company, "bob", day=today)
    settle(company, "bob", day=today - timedelta(days=29))
    settle(company, "bob", day=today - timedelta(days=30))
    assert as_("bob").get("/api/usage").json()["totals"]["requests"] == 2


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_the_key_of_the_line_is_the_key_of_the_api(company: Company, header: str) -> None:
    token = company.tokens["bob"]
    value = f"bearer {token}" if header == "authorization" else token
    assert APIClient().get("/api/usage", headers={header: value}).status_code == 200


def test_a_person_who_is_signed_in_needs_no_key(company: Company) -> None:
    settle(company, "carl")
    client = APIClient()
    client.force_login(company["grace"])
    assert client.get("/api/usage", PERIOD).json()["totals"]["requests"] == 1


def test_a_slash_at_the_end_is_met(as_: As) -> None:
    assert as_("bob").get("/api/usage/").status_code == 200


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (None, "Authentication credentials were not provided."),
        ("tg_nonsense", "invalid x-api-key"),
        ("revoked", "invalid x-api-key"),
        ("expired", "invalid x-api-key"),
        ("elsewhere", "invalid x-api-key"),
    ],
)
def test_without_a_good_key(company: Company, token: str | None, why: str) -> None:
    key = company.keys["bob"]
    change: dict[str, dict[str, Any]] = {
        "revoked": {"revoked_at": timezone.now()},
        "expired": {"expires_at": timezone.now() - timedelta(seconds=1)},
        "elsewhere": {"allowed_networks": ["10.0.0.0/8"]},
    }
    if token in change:
        type(key).objects.filter(pk=key.pk).update(**change[token])
        token = company.tokens["bob"]
    answer = APIClient().get("/api/usage", headers={"x-api-key": token} if token else {})
    assert answer.status_code == 401
    assert answer.json() == {"type": "error", "error": {"type": "authentication_error", "message": why}}
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_key_needs_the_scope(company: Company, as_: As) -> None:
    company.keys["bob"].scopes = ["messages"]
    company.keys["bob"].save()
    answer = as_("bob").get("/api/usage")
    assert answer.status_code == 403
    assert answer.json()["error"] == {"type": "permission_error", "message": "This key lacks the scope 'usage'."}


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "since"),
        ({"since": "0001-01-01"}, "since"),
        ({"until": "0001-01-01"}, "since"),
        ({"tz": "Mars/Olympus"}, "since"),
        ({"group_by": "colour"}, "group_by"),
        ({"group_by": ""}, "group_by"),
        ({"limit": "0"}, "limit"),
        ({"user": "nobody"}, "user"),
        ({"team": "blue"}, "team"),
        ({"key": "\x00"}, "key"),
        ({"outcome": "splendid"}, "outcome"),
        ({"sinse": "2026-03-01"}, "sinse"),
    ],
)
def test_a_wrong_parameter_is_named(company: Company, as_: As, parameters: dict[str, str], field: str) -> None:
    answer = as_("bob").get("/api/usage", parameters)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert list(error["fields"]) == [field]
    assert error["message"] == f"{field}: {error['fields'][field][0]}"


def test_grouping_filters_and_limit(company: Company, as_: As) -> None:
    settle(company, "bob", cost=Decimal(1))
    settle(company, "eve", cost=Decimal(3))
    settle(company, "carl", cost=Decimal(9))
    answer = as_("ada").get("/api/usage", PERIOD | {"group_by": "team,user", "limit": 1}).json()
    assert answer["truncated"]
    assert answer["totals"]["requests"] == 2
    (row,) = answer["results"]
    assert (row["team"], row["team_id"], row["user"], row["user_id"]) == (
        "red",
        company.red.pk,
        "eve",
        company["eve"].pk,
    )
    assert "day" not in row
    key = company.keys["bob"].public_id
    narrowed = as_("ada").get("/api/usage", PERIOD | {"user": "bob", "team": "red", "key": key}).json()
    assert narrowed["totals"]["cost"] == "1"


def test_csv(company: Company, as_: As) -> None:
    settle(company, "bob", asked_model="=cmd()")
    answer = as_("bob").get("/api/usage", PERIOD | {"format": "csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["day"], row["user"], row["cost"]) == (DAY.isoformat(), "bob", "0.25")
    assert row["asked_model"] == "'=cmd()"
    wrong = as_("bob").get("/api/usage", {"format": "csv", "limit": "x"})
    assert (wrong.status_code, wrong["Content-Type"], "limit" in wrong.json()["error"]["fields"]) == (
        400,
        "application/json",
        True,
    )


def test_an_empty_report_is_an_empty_csv(as_: As) -> None:
    assert as_("bob").get("/api/usage", {"format": "csv"}).content.strip() == b""


def test_summary(company: Company, as_: As) -> None:
    settle(company, "bob", cost=Decimal(3))
    settle(company, "bob", cost=Decimal(2), day=DAY.replace(month=2))
    answer = as_("bob").get("/api/usage/summary", PERIOD).json()
    assert (answer["totals"]["cost"], answer["before"]["cost"]) == ("3", "2")
    assert (answer["cost_change"], answer["requests_change"]) == (0.5, 0.0)


def test_series_by_day_by_hour_and_by_person(company: Company, as_: As) -> None:
    settle(company, "bob", cost=Decimal(3))
    settle(company, "eve", cost=Decimal(2))
    client = as_("ada")
    (one,) = client.get("/api/usage/series", PERIOD).json()["series"]
    assert len(one["points"]) == 31
    assert [point["cost"] for point in one["points"] if point["at"] == DAY.isoformat()] == ["5"]
    day = {"since": DAY.isoformat(), "until": DAY.isoformat()}
    (hours,) = client.get("/api/usage/series", day | {"interval": "hour"}).json()["series"]
    assert [point["at"] for point in hours["points"] if point["requests"]] == ["2026-03-10T12:00:00Z"]
    found = client.get("/api/usage/series", PERIOD | {"by": "user", "top": 1}).json()["series"]
    assert [layer["name"] for layer in found] == ["bob", None]


def test_hours_of_a_long_period_are_refused(as_: As) -> None:
    answer = as_("bob").get("/api/usage/series", {"since": "2025-01-01", "until": "2026-01-01", "interval": "hour"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/api/usage", "/api/usage/summary", "/api/usage/series"])
@pytest.mark.parametrize("who", ["bob", "ada", "root"])
def test_the_number_of_queries_does_not_grow(
    company: Company, as_: As, path: str, who: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in company.keys:
        settle(company, name)
    client = as_(who)
    with django_assert_max_num_queries(8):  # the key and its membership, the person, what they lead, seals, sums
        assert client.get(path, PERIOD).status_code == 200


def test_nothing_is_json_too(as_: As) -> None:
    answer = as_("bob").get("/api/nonsense")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
