from __future__ import annotations

import uuid

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounting.identity import mint
from accounting.models import LedgerEntry, User

from .conftest import Browser

OUTCOMES = LedgerEntry.Outcome


def _entry(user: User, outcome: str = OUTCOMES.COMPLETE, **fields: object) -> LedgerEntry:
    values = {
        "id": uuid.uuid4(),
        "request_id": "req_1",
        "state": LedgerEntry.State.SETTLED,
        "outcome": outcome,
        "user": user,
        "asked_model": "claude-sonnet-4-5",
        "provider": "openai",
        "model": "gpt-5.1",
        "key_name": "laptop",
        "started_at": timezone.now(),
        "duration_ms": 1234,
        **fields,
    }
    return LedgerEntry.objects.create(**values)


def test_the_lines_hold_the_address_this_person_came_by(member: User, browse: Browser) -> None:
    page = browse(member).get("/", headers={"host": "gateway.example.com"}).content.decode()
    assert "export ANTHROPIC_BASE_URL=http://gateway.example.com\n" in page
    assert "$env:ANTHROPIC_BASE_URL = &quot;http://gateway.example.com&quot;" in page
    assert "curl http://gateway.example.com/v1/messages" in page


def test_public_url_goes_before_the_host_header(member: User, browse: Browser, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://llm.example.com"
    page = browse(member).get("/").content.decode()
    assert "export ANTHROPIC_BASE_URL=https://llm.example.com\n" in page
    assert "testserver" not in page


def test_without_a_key_it_offers_one(member: User, browse: Browser) -> None:
    assert "Make my first key" in browse(member).get("/").content.decode()
    mint(member)
    page = browse(member).get("/").content.decode()
    assert "Make my first key" not in page
    assert "1 live key" in page


def test_the_lamp_waits_until_this_persons_request_is_settled(member: User, lead: User, browse: Browser) -> None:
    client = browse(member)
    _entry(lead)
    _entry(member, outcome="", state=LedgerEntry.State.OPEN)
    assert "Waiting for your first request" in client.get("/connection/").content.decode()
    _entry(member)
    page = client.get("/connection/").content.decode()
    assert 'class="lamp good"' in page
    assert "openai/gpt-5.1" in page


@pytest.mark.parametrize(
    ("outcome", "lamp", "words"),
    [
        (OUTCOMES.INTERRUPTED, "good", "ended it early"),
        (OUTCOMES.UPSTREAM_ERROR, "bad", "The provider openai did not answer it (ProviderBusy)"),
        (OUTCOMES.REJECTED, "bad", "The gateway refused it (ProviderBusy)"),
        (OUTCOMES.LOST, "bad", "ProviderBusy"),
    ],
)
def test_the_lamp_says_how_the_last_request_ended(
    member: User, browse: Browser, outcome: str, lamp: str, words: str
) -> None:
    _entry(member, outcome, error="ProviderBusy")
    page = browse(member).get("/connection/").content.decode()
    assert f'class="lamp {lamp}"' in page
    assert words in page


def test_it_costs_few_queries(
    member: User, browse: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _entry(member)
    client = browse(member)
    with django_assert_max_num_queries(10):
        client.get("/")
    with django_assert_max_num_queries(4):
        client.get("/connection/")
