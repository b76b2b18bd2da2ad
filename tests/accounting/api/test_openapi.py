"""The OpenAPI document against the API: no 500, no status, media type or shape that it does not tell of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounting.models import Limit
from routing.models import Provider, Tier
from tests.accounting.company import Company, record, settle

from .conftest import openapi_document

BOUNDED = settings(
    max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """A WSGI application ends each request by closing the connection, which here is the test's own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def _nothing_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of conformance is begun and not made: its thread would not see the rows of the test's transaction."""
    monkeypatch.setattr("routing.conformance.runs._make", lambda *_: None)


def _document() -> Any:
    """The document as it is served, read once, when tests are collected."""
    document = schemathesis.openapi.from_dict(openapi_document())
    document.app = get_wsgi_application()
    return document


OPERATIONS = [found.ok() for found in _document().get_all_operations()]


@pytest.mark.usefixtures("_one_connection", "_nothing_in_the_background")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_documented(company: Company, operation: Any) -> None:
    """As an admin, who gets furthest. Examples of one operation share a database."""
    for name in company.keys:
        settle(company, name, day=timezone.now().date())
        record(company, name, session_id=name, started_at=timezone.now())
    Limit.objects.create(scope="team", team=company.red, kind="budget", period="month", amount=Decimal(10))
    provider = Provider.objects.create(name="openai", dialect="openai_chat", base_url="http://127.0.0.1:1/v1")
    tier = Tier.objects.create(name="BIG", provider=provider, model="gpt-4o")
    tier.patterns.create(pattern="*claude*")
    headers = {"x-api-key": company.tokens["root"]}

    @given(case=operation.as_strategy())
    @BOUNDED
    def every_answer(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    every_answer()


@pytest.mark.django_db
def test_the_root_leads_to_the_docs(client: Client) -> None:
    assert client.get("/api/").headers["location"] == "/api/docs"
    assert client.post("/api/").status_code == 404


def test_docs_are_served_from_here_alone() -> None:
    page = Client().get("/api/docs")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert sources
    assert all(source.startswith("/") for source in sources)
    script = Client().get("/api/docs?script=")
    assert b"/api/schema" in script.content


@pytest.mark.django_db
def test_the_document_says_how_to_show_a_key() -> None:
    document = Client().get("/api/schema?format=json").json()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["paths"]["/api/usage"]["get"]["security"][:2] == [{"bearer": []}, {"x-api-key": []}]
    assert "401" in document["paths"]["/api/keys"]["post"]["responses"]
