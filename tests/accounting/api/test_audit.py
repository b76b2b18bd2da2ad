"""The audit log and the prices, for programs."""

from __future__ import annotations

import pytest
from django.test import Client

from accounting.models import Price
from tests.accounting.company import Company

from .conftest import As


def test_a_price_is_set_changed_and_removed_on_record(company: Company, as_: As) -> None:
    root = as_("root")
    made = root.post("/api/prices", {"provider": "openai", "model": "gpt-*", "input": "2.5", "note": "by contract"})
    assert made.status_code == 201
    path = f"/api/prices/{made.json()['id']}"
    assert root.patch(path, {"output": "10"}).json()["output"] == "10.000000"
    assert root.delete(path).status_code == 204
    assert not Price.objects.exists()
    told = root.get("/api/audit", {"kind": "price"}).json()["results"]
    assert [(one["event"], one["actor"]) for one in told] == [(what, "root") for what in ("delete", "update", "create")]
    assert told[1]["changes"] == {"output": ["None", "10.000000"]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"input": "-1"}, "input"),
        ({"input": "NaN"}, "input"),
        ({"effective_from": "2026-02-01T00:00Z", "effective_until": "2026-01-01T00:00Z"}, "non_field_errors"),
        ({"model": ""}, "model"),
    ],
)
def test_a_price_that_makes_no_sense(as_: As, wrong: dict[str, str], field: str) -> None:
    answer = as_("root").post("/api/prices", {"model": "gpt-*"} | wrong)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_sign_ins_are_told_failed_ones_too_and_found_by_whom_and_when(company: Company, as_: As) -> None:
    Client().post("/accounts/login/", {"login": "bob", "password": "wrong"}, REMOTE_ADDR="203.0.113.7")
    Client().force_login(company["ada"])
    root = as_("root")
    events = {one["event"]: one for one in root.get("/api/audit", {"kind": "user"}).json()["results"]}
    assert (events["sign-in failed"]["row"], events["sign-in failed"]["address"]) == ("bob", "203.0.113.7")
    (mine,) = root.get("/api/audit", {"actor": "ada"}).json()["results"]
    assert mine["event"] == "signed in"
    assert root.get("/api/audit", {"until": mine["at"], "actor": "ada"}).json()["results"] == []
    assert root.get("/api/audit", {"since": "yesterday"}).status_code == 400
