"""The ledger's list, whatever its length; the audit log, read-only and to take away."""

from __future__ import annotations

import csv
import uuid
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounting.admin import audit
from accounting.admin.ledger import InfinitePaginator
from accounting.models import LedgerEntry, Team, User

pytestmark = pytest.mark.django_db
AUDIT = "/admin/auditlog/logentry/"


def entry(**fields: Any) -> LedgerEntry:
    given = {"id": uuid.uuid4(), "request_id": "req_1", "state": "settled", "outcome": "complete", "user_name": "anna"}
    return LedgerEntry.objects.create(started_at=timezone.now(), **given | fields)


def test_the_ledger_is_listed_without_counting_it(admin_client: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(60):
        entry(request_id=f"req_{number}")
    admin_client.get("/admin/")
    with django_assert_max_num_queries(8) as seen:
        page = admin_client.get("/admin/accounting/ledgerentry/")
    assert page.status_code == 200
    assert "9999999999" not in page.content.decode()  # what the paginator says instead of a count
    asked = [query["sql"] for query in seen.captured_queries if "ledgerentry" in query["sql"]]
    assert asked
    assert not [sql for sql in asked if "COUNT(" in sql]
    assert all("LIMIT" in sql for sql in asked)


def test_the_ledger_is_paged_no_deeper_than_people_read(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(120):
        entry(request_id=f"req_{number}")
    monkeypatch.setattr(InfinitePaginator, "deepest", 2)
    last = admin_client.get("/admin/accounting/ledgerentry/", {"p": "2"})
    assert len(last.context["cl"].result_list) == 50
    beyond = admin_client.get("/admin/accounting/ledgerentry/", {"p": "3"})
    assert beyond.status_code == 302


@pytest.mark.parametrize("outcome", ["open", *LedgerEntry.Outcome.values])
def test_the_ledger_is_narrowed_to_one_outcome(admin_client: Client, outcome: str) -> None:
    rows = {one: entry(request_id=f"req_{one}", outcome=one) for one in LedgerEntry.Outcome.values}
    rows["open"] = entry(request_id="req_open", state="open", outcome="")
    listed = admin_client.get("/admin/accounting/ledgerentry/", {"outcome": outcome}).context["cl"].result_list
    assert list(listed) == [rows[outcome]]


@pytest.mark.parametrize("outcome", [one for one in LedgerEntry.Outcome.values if one != "complete"])
def test_an_outcome_that_hardly_a_row_has_is_looked_up_in_an_index(outcome: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # of an empty table it would rather read all
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = LedgerEntry.objects.ended(outcome).order_by("-started_at")[:50].explain()
    assert "outcome_" in plan
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan


def test_the_ledger_is_sorted_by_time_alone(admin_client: Client) -> None:
    for name in ("a", "b"):
        entry(request_id=name, asked_model=name)
    listed = admin_client.get("/admin/accounting/ledgerentry/", {"o": "3"}).context["cl"].result_list
    assert [row.request_id for row in listed] == ["b", "a"]


def test_a_request_is_found_by_its_id_and_read_only(admin_client: Client) -> None:
    row = entry(request_id="req_wanted", session_id="s-1")
    entry(request_id="req_other")
    for wanted in ("req_wanted", "s-1"):
        listed = admin_client.get("/admin/accounting/ledgerentry/", {"q": wanted}).context["cl"].result_list
        assert list(listed) == [row]
    assert admin_client.get(f"/admin/accounting/ledgerentry/{row.pk}/change/").status_code == 200
    assert admin_client.post(f"/admin/accounting/ledgerentry/{row.pk}/delete/").status_code == 403
    assert admin_client.get("/admin/accounting/ledgerentry/add/").status_code == 403


def test_a_cost_that_is_not_known_is_not_nothing(admin_client: Client) -> None:
    entry(cost=None)
    assert "not known" in admin_client.get("/admin/accounting/ledgerentry/").content.decode()


def test_changes_and_sign_ins_are_on_record(client: Client) -> None:
    boss = User.objects.create_superuser("boss", password="a-good-password")
    client.post("/accounts/login/", {"login": "boss", "password": "wrong-password"})
    client.post("/accounts/login/", {"login": "boss", "password": "a-good-password"})
    client.post(
        "/admin/accounting/team/add/",
        {"name": "core", "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"},
    )
    page = client.get(AUDIT).content.decode()
    for said in ("signed in", "sign-in failed", "core"):
        assert said in page
    made = LogEntry.objects.get_for_object(Team.objects.get()).get()
    assert made.actor == boss
    events = [(one.additional_data or {}).get("event") for one in LogEntry.objects.get_for_object(boss)]
    assert events.count("signed in") == events.count("sign-in failed") == 1


def test_no_password_is_on_record() -> None:
    user = User.objects.create_user("anna", password="first-password-1")
    user.set_password("second-password-2")
    user.save()
    changes = [one.changes_dict for one in LogEntry.objects.get_for_object(user)]
    assert changes[0]["password"] == ["(hidden)", "(hidden)"]
    assert "pbkdf2" not in str(changes)


def test_a_failed_sign_in_of_nobody_keeps_what_was_typed_to_itself(client: Client) -> None:
    client.post("/accounts/login/", {"login": "my-password-by-mistake", "password": "x"})
    assert "by-mistake" not in str(list(LogEntry.objects.values()))


def test_the_log_is_read_only_and_exported_as_filtered(admin_client: Client) -> None:
    Team.objects.create(name="core")
    Team.objects.create(name="=cmd()")
    row = LogEntry.objects.latest("id")
    assert admin_client.get(f"{AUDIT}{row.pk}/change/").status_code == 200
    assert admin_client.post(f"{AUDIT}{row.pk}/delete/").status_code == 403
    assert admin_client.get(f"{AUDIT}add/").status_code == 403
    answer = admin_client.get(f"{AUDIT}export", {"q": "cmd"}, follow=True)
    lines = list(csv.reader(answer.getvalue().decode().splitlines()))
    assert lines[0][:2] == ["time", "who"]
    assert len(lines) == 2
    assert lines[1][5] == "'=cmd()", "what a spreadsheet would run is quoted"


def test_the_export_reads_a_chunk_a_query_and_leaves_none_out(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_CHUNK", 2)
    for number in range(5):
        Team.objects.create(name=f"team {number}")
    answer = admin_client.get(f"{AUDIT}export", {"q": "team"}, follow=True)
    with CaptureQueriesContext(connection) as queries:
        lines = list(csv.reader(answer.getvalue().decode().splitlines()))
    assert [line[5] for line in lines[1:]] == [f"team {number}" for number in range(4, -1, -1)]
    assert all("LIMIT 2" in query["sql"] for query in queries.captured_queries)
