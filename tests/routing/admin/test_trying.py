"""Explain, and Test with a real call to a scripted provider."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client

from accounting import ledger, live
from accounting.models import Generation, LedgerEntry, Limit, LimitCounter, Membership, Team, User
from routing.models import Override, Provider, Tier
from tests.routing.mappings import ALL_KEYS, set_up
from tests.support.provider import Fail, Reply, ScriptedProvider, Text, ToolCall

EXPLAIN, TEST = "/admin/routing/tier/explain/", "/admin/routing/tier/test/"


@pytest.mark.django_db
def test_explain_gives_rule_target_parameters_and_limits(admin_client: Client) -> None:
    set_up(**ALL_KEYS, BIG_MODEL="gpt-5.1")
    anna, core = User.objects.create_user("anna"), Team.objects.create(name="core")
    Membership.objects.create(user=anna, team=core)
    Override.objects.create(
        team=core, tier=Tier.objects.get(name="BIG"), provider=Provider.objects.get(name="openai"), model="o3"
    )
    Limit.objects.create(scope="team", team=core, kind="budget", period="month", amount=Decimal(500), name="Core purse")
    Limit.objects.create(scope="gateway", kind="concurrent_requests", count=7, model_pattern="gem*", name="Elsewhere")
    LimitCounter.objects.create(limit=Limit.objects.get(name="Core purse"), window=1, spent=Decimal(499))  # long ago
    page = admin_client.get(EXPLAIN, {"user": "anna", "model": "claude-opus-4-8"}).content.decode()
    for said in ("openai/o3", "which leads to BIG", "The override of team core", "200,000", "Core purse", "$500.00"):
        assert said in page
    assert "Elsewhere" not in page, "it is of other models"
    assert "$0.00 of $500.00" in page
    other = admin_client.get(EXPLAIN, {"user": "", "model": "claude-opus-4-8"}).content.decode()
    assert "openai/gpt-5.1" in other
    assert "Core purse" not in other
    assert "leads nowhere" in admin_client.get(EXPLAIN, {"model": "nothing"}).content.decode()
    assert "no user" in admin_client.get(EXPLAIN, {"user": "zoe", "model": "x"}).content.decode()


@pytest.fixture
def provider(transactional_db: None) -> Iterator[ScriptedProvider]:
    """A scripted provider behind every host of a gateway that is set up."""
    Generation.objects.get_or_create(pk=1)
    with ScriptedProvider() as scripted:
        set_up(
            **ALL_KEYS,
            OPENAI_BASE_URL=f"{scripted.base_url}/v1",
            GEMINI_API_BASE=scripted.base_url,
            ANTHROPIC_API_BASE=scripted.base_url,
            BIG_MODEL="gpt-4o",
        )
        yield scripted
        ledger.close()


def test_a_call_of_the_gateways_own_is_not_counted_live(
    admin_client: Client, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in a thread with an event loop of its own; the tally is the worker's loop's, and no other's."""
    entered: list[object] = []
    monkeypatch.setattr(live, "enter", entered.append)
    provider.reply(Reply([Text("ready")]))
    admin_client.post(TEST, {"model": "claude-opus-4-8", "user": "", "kind": "text"})
    assert LedgerEntry.objects.get().outcome == "complete"
    assert entered == []


@pytest.mark.parametrize("model", ["claude-opus-4-8", "gemini/gemini-2.5-flash", "anthropic/claude-haiku-4-5"])
@pytest.mark.parametrize("kind", ["text", "stream", "image"])
def test_a_trial_is_a_real_call_that_stands_on_the_ledger(
    provider: ScriptedProvider, admin_client: Client, model: str, kind: str
) -> None:
    provider.reply(Reply([Text("ready")]))
    page = admin_client.post(TEST, {"model": model, "user": "", "kind": kind}).content.decode()
    assert "It works" in page
    assert "ready" in page
    row = LedgerEntry.objects.get()
    assert (row.user_name, row.asked_model, row.outcome) == ("admin", model, "complete")
    assert row.output_tokens
    assert row.streamed == (kind == "stream")
    assert len(provider.requests) == 1


def test_a_tool_call_is_shown_and_its_absence_told(provider: ScriptedProvider, admin_client: Client) -> None:
    data = {"model": "openai/gpt-4o", "kind": "tool"}
    provider.reply(Reply([ToolCall("get_weather", {"city": "Paris"})]))
    page = admin_client.post(TEST, data).content.decode()
    assert "It works" in page
    assert "get_weather" in page
    assert "Paris" in page
    provider.reply(Reply([Text("It rains.")]))
    assert "without calling the tool" in admin_client.post(TEST, data).content.decode()


def test_a_providers_own_error_is_shown(provider: ScriptedProvider, admin_client: Client) -> None:
    provider.reply(Fail("rate_limit", message="Slow down, please."))
    page = admin_client.post(TEST, {"model": "openai/gpt-4o", "kind": "stream"}).content.decode()
    assert "The call failed" in page
    assert "429" in page
    assert LedgerEntry.objects.get().outcome == "upstream_error"


def test_a_name_that_leads_nowhere_is_told_without_a_call(provider: ScriptedProvider, admin_client: Client) -> None:
    page = admin_client.post(TEST, {"model": "nothing-known", "kind": "text"}).content.decode()
    assert "model: nothing-known" in page
    assert not provider.requests
