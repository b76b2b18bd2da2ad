"""Every endpoint x anonymous, member, lead of another team, lead, admin. What is touched belongs to eve of team red."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounting.models import Limit, Price
from routing.models import Conformance, Provider, Revision
from tests.accounting.company import Company, record, settle

from .conftest import As, openapi_document

WHO = ("anonymous", "bob", "grace", "ada", "root")
BODIES: dict[str, Any] = {
    "POST /api/keys": {"name": "new", "user": "eve"},
    "PATCH /api/keys/{public_id}": {"name": "other"},
    "POST /api/keys/{public_id}/rotate": {},
    "POST /api/people": {"username": "new"},
    "PATCH /api/people/{username}": {"first_name": "Eve"},
    "POST /api/teams": {"name": "green"},
    "PATCH /api/teams/{id}": {"name": "crimson"},
    "PUT /api/teams/{id}/members/{username}": {"role": "lead"},
    "POST /api/limits": {"scope": "team", "team": "red", "kind": "budget", "period": "month", "amount": "10"},
    "PATCH /api/limits/{id}": {"amount": "20"},
    "POST /api/limits/{id}/grant": {"amount": "5"},
    "POST /api/limits/{id}/reset": {},
    "PUT /api/mapping": {"tiers": {}, "patterns": [], "overrides": [], "reason": "a clean board"},
    "POST /api/mapping/revisions/{id}/rollback": {},
    "POST /api/providers": {"name": "acme", "dialect": "openai_chat", "base_url": "http://127.0.0.1:1/v1"},
    "PATCH /api/providers/{name}": {"enabled": False},
    "POST /api/providers/{name}/discover": {},
    "POST /api/conformance": {"target": "nothing"},
    "POST /api/prices": {"model": "gpt-*", "input": "2.5"},
    "PATCH /api/prices/{id}": {"output": "10"},
}
MATRIX = {
    "GET /api/me": (401, 200, 200, 200, 200),
    "GET /api/keys": (401, 200, 200, 200, 200),
    "POST /api/keys": (401, 400, 400, 403, 201),
    "GET /api/keys/{public_id}": (401, 404, 404, 200, 200),
    "PATCH /api/keys/{public_id}": (401, 404, 404, 403, 200),
    "DELETE /api/keys/{public_id}": (401, 404, 404, 200, 200),
    "POST /api/keys/{public_id}/rotate": (401, 404, 404, 403, 201),
    "GET /api/people": (401, 200, 200, 200, 200),
    "POST /api/people": (401, 403, 403, 403, 201),
    "GET /api/people/{username}": (401, 404, 404, 200, 200),
    "PATCH /api/people/{username}": (401, 403, 403, 403, 200),
    "GET /api/teams": (401, 200, 200, 200, 200),
    "POST /api/teams": (401, 403, 403, 403, 201),
    "GET /api/teams/{id}": (401, 200, 404, 200, 200),
    "PATCH /api/teams/{id}": (401, 403, 403, 403, 200),
    "DELETE /api/teams/{id}": (401, 403, 403, 403, 204),
    "PUT /api/teams/{id}/members/{username}": (401, 403, 403, 403, 200),
    "DELETE /api/teams/{id}/members/{username}": (401, 403, 403, 403, 204),
    "GET /api/limits": (401, 200, 200, 200, 200),
    "POST /api/limits": (401, 403, 403, 403, 201),
    "GET /api/limits/{id}": (401, 404, 404, 200, 200),
    "PATCH /api/limits/{id}": (401, 403, 403, 403, 200),
    "DELETE /api/limits/{id}": (401, 403, 403, 403, 204),
    "POST /api/limits/{id}/grant": (401, 403, 403, 403, 200),
    "POST /api/limits/{id}/reset": (401, 403, 403, 403, 200),
    "GET /api/explain": (401, 400, 400, 400, 400),
    "GET /api/mapping": (401, 200, 200, 200, 200),
    "PUT /api/mapping": (401, 403, 403, 403, 200),
    "GET /api/mapping/revisions": (401, 403, 403, 403, 200),
    "GET /api/mapping/revisions/{id}": (401, 403, 403, 403, 200),
    "POST /api/mapping/revisions/{id}/rollback": (401, 403, 403, 403, 200),
    "GET /api/providers": (401, 200, 200, 200, 200),
    "POST /api/providers": (401, 403, 403, 403, 201),
    "GET /api/providers/{name}": (401, 403, 403, 403, 200),
    "PATCH /api/providers/{name}": (401, 403, 403, 403, 200),
    "DELETE /api/providers/{name}": (401, 403, 403, 403, 204),
    "GET /api/providers/{name}/models": (401, 403, 403, 403, 200),
    "POST /api/providers/{name}/discover": (401, 403, 403, 403, 502),  # nobody listens there
    "GET /api/conformance": (401, 403, 403, 403, 200),
    "POST /api/conformance": (401, 403, 403, 403, 400),
    "GET /api/conformance/{id}": (401, 403, 403, 403, 200),
    "GET /api/prices": (401, 403, 403, 403, 200),
    "POST /api/prices": (401, 403, 403, 403, 201),
    "GET /api/prices/{id}": (401, 403, 403, 403, 200),
    "PATCH /api/prices/{id}": (401, 403, 403, 403, 200),
    "DELETE /api/prices/{id}": (401, 403, 403, 403, 204),
    "GET /api/audit": (401, 403, 403, 403, 200),
    "GET /api/statusline": (401, 200, 200, 200, 200),
    "GET /api/usage": (401, 200, 200, 200, 200),
    "GET /api/usage/failures": (401, 200, 200, 200, 200),
    "GET /api/usage/forecast": (401, 200, 200, 200, 200),
    "GET /api/usage/latency": (401, 200, 200, 200, 200),
    "GET /api/usage/records": (401, 200, 200, 200, 200),
    "GET /api/usage/records.csv": (401, 200, 200, 200, 200),
    "GET /api/usage/records/{request_id}": (401, 404, 404, 200, 200),
    "GET /api/usage/sessions": (401, 200, 200, 200, 200),
    "GET /api/usage/sessions/{session_id}": (401, 404, 404, 200, 200),
    "GET /api/usage/unpriced": (401, 200, 200, 200, 200),
    "GET /api/usage/what-if": (401, 200, 200, 200, 200),
    "GET /api/usage/series": (401, 200, 200, 200, 200),
    "GET /api/usage/summary": (401, 200, 200, 200, 200),
}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", MATRIX)
def test_who_may_do_what(company: Company, as_: As, operation: str, who: str) -> None:
    for name in company.keys:
        settle(company, name)
    answer = ask(company, as_(who), operation)
    assert answer.status_code == MATRIX[operation][WHO.index(who)], answer.content


def test_the_matrix_is_whole() -> None:
    paths = openapi_document()["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert operations == set(MATRIX)


@pytest.mark.parametrize("operation", MATRIX)
def test_a_key_without_scopes_is_refused(company: Company, as_: As, operation: str) -> None:
    key = company.keys["root"]
    key.scopes = ["messages"]
    key.save()
    answer = ask(company, as_("root"), operation)
    assert answer.status_code == (200 if operation == "GET /api/me" else 403)


@pytest.mark.parametrize("operation", [one for one in MATRIX if not one.startswith("GET")])
def test_a_key_that_may_only_read_changes_nothing(company: Company, as_: As, operation: str) -> None:
    key = company.keys["root"]
    key.scopes = ["messages", "usage"]
    key.save()
    answer = ask(company, as_("root"), operation)
    assert answer.status_code == 403
    assert "'manage'" in answer.json()["error"]["message"]


def ask(company: Company, client: APIClient, operation: str) -> Any:
    """The operation's answer, about what is eve's."""
    method, template = operation.split()
    number = company.red.pk
    if "/limits/" in template:
        number = Limit.objects.create(
            scope="user", user=company["eve"], kind="budget", period="day", amount=Decimal(9)
        ).pk
    if "/prices/" in template:
        number = Price.objects.create(model="gpt-*").pk
    if "/revisions/" in template:
        number = Revision.objects.create(snapshot={"tiers": {}, "patterns": [], "overrides": []}).pk
    if "/conformance/" in template:
        number = Conformance.objects.create(state="finished", seen_at=timezone.now(), results=[]).pk
    Provider.objects.create(name="openai", dialect="openai_chat", base_url="http://127.0.0.1:1/v1")
    entry = record(company, "eve", session_id="eve's", request_id="req_eve")
    path = template.format(
        public_id=company.keys["eve"].public_id,
        username="eve",
        id=number,
        request_id=entry.request_id,
        session_id=entry.session_id,
        name="openai",
    )
    body = (orjson.dumps(BODIES[operation]), "application/json") if operation in BODIES else ()
    return client.generic(method, path, *body)
