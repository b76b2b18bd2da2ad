"""Conformance runs against a scripted provider: in every dialect, with each check failing in its turn."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounting import ledger
from accounting.models import Generation, LedgerEntry, User
from routing import conformance, standin
from routing.models import Conformance
from routing.table import load
from tests.routing.mappings import ALL_KEYS, set_up
from tests.support.provider import Fail, Reply, ScriptedProvider, Text, ToolCall
from tests.support.provider.obliging import obliging
from tests.support.provider.record import Seen
from tests.support.provider.script import Answer

PAGE = "/admin/routing/tier/conformance/"


@pytest.fixture
def provider(transactional_db: None) -> Iterator[ScriptedProvider]:
    Generation.objects.get_or_create(pk=1)
    with ScriptedProvider() as scripted:
        set_up(
            **ALL_KEYS,
            OPENAI_BASE_URL=f"{scripted.base_url}/v1",
            GEMINI_API_BASE=scripted.base_url,
            ANTHROPIC_API_BASE=scripted.base_url,
            PREFERRED_PROVIDER="openai",
            BIG_MODEL="gpt-4.1",
        )
        scripted.on(obliging)
        yield scripted
        ledger.close()


def run(target: str) -> Conformance:
    anna, _ = User.objects.get_or_create(username="anna")
    caller = standin.for_user(anna)
    return conformance.run(conformance.target_of(load(), caller, target), caller, anna)


def outcomes(found: Conformance) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in found.results}


@pytest.mark.parametrize(
    ("target", "skipped"),
    [
        ("BIG", ["thinking"]),
        ("openai/gpt-5.1", []),
        ("gemini/gemini-2.5-flash", []),
        ("gemini/gemini-3.1-pro-preview", []),
        ("anthropic/claude-haiku-4-5", []),
    ],
)
def test_a_model_that_obliges_passes_every_check_that_is_for_it(
    provider: ScriptedProvider, target: str, skipped: list[str]
) -> None:
    found = run(target)
    details = {one["name"]: one["detail"] for one in found.results if one["outcome"] == "failed"}
    assert not details
    assert provider.refusals == []
    assert [name for name, outcome in outcomes(found).items() if outcome == "skipped"] == skipped
    rows = LedgerEntry.objects.all()
    assert {(row.user_name, row.outcome, row.tier, row.client) for row in rows} == {
        ("anna", "complete", "BIG" if target == "BIG" else "", conformance.CLIENT)
    }
    assert found.cost == sum((row.cost or Decimal(0) for row in rows), Decimal(0)) > 0
    assert conformance.latest()[(found.provider, found.model)] == found


def only(word: str, answer: Answer) -> Callable[[Seen], Answer | None]:
    return lambda seen: answer if word in seen.raw.decode() else None


@pytest.mark.parametrize(
    ("check", "word", "answer", "said"),
    [
        ("text", "single word: ready", Reply([Text(" ")]), "text"),
        ("stream", "toll gate", Fail("rate_limit", message="Slow down, please."), "HTTP 429: Slow down, please."),
        ("system", "ORCHID", Reply([Text("A rose.")]), "Expected orchid in: A rose."),
        ("turns", "Marmalade", Reply([Text("I cannot know.")]), "Expected marmalade"),
        ("stop", "five hundred", Reply([Text("One.")]), "stop_reason is end_turn"),
        ("tool", "weather in Paris? Use", Reply([Text("Rain.")]), "0 tool calls"),
        ("parallel", "Tokyo", Reply([ToolCall("get_weather", {"city": "Paris"})]), "1 tool calls"),
        ("image", "colour", Fail("bad_request", message="No images here."), "No images here."),
    ],
)
def test_each_check_can_fail_alone(
    provider: ScriptedProvider, check: str, word: str, answer: Answer, said: str
) -> None:
    provider.on(only(word, answer))
    found = run("BIG")
    failed = {one["name"]: one["detail"] for one in found.results if one["outcome"] == "failed"}
    assert list(failed) == [check]
    assert said in failed[check]


def test_answers_without_usage_are_told_of(provider: ScriptedProvider) -> None:
    provider.on(lambda seen: Reply([Text("ready")], usage=None) if "toll gate" in seen.raw.decode() else None)
    found = run("BIG")
    assert outcomes(found)["usage"] == "failed"


def test_the_admin_runs_it_and_the_board_wears_a_badge(provider: ScriptedProvider, admin_client: Client) -> None:
    assert "not checked yet" in admin_client.get("/admin/routing/tier/").content.decode()
    page = admin_client.post(PAGE, {"target": "BIG"}, follow=True).content.decode()
    assert "10 passed, 0 failed, 1 skipped" in page
    for path in ("/admin/routing/tier/", PAGE):
        assert "10 of 10 checks" in admin_client.get(path).content.decode()
    assert "gpt-4.1: 10 of 10" in admin_client.get("/admin/routing/provider/").content.decode()
    assert "model: nothing" in admin_client.post(PAGE, {"target": "nothing"}).content.decode()


def test_the_command_prints_and_fails_where_a_check_does(provider: ScriptedProvider) -> None:
    out = io.StringIO()
    call_command("conformance", "openai/gpt-4.1", stdout=out)
    assert "10 passed, 0 failed, 1 skipped" in out.getvalue()
    assert LedgerEntry.objects.exclude(user_name="").count() == 0
    provider.on(only("ORCHID", Reply([Text("A rose.")])))
    with pytest.raises(CommandError, match="Not every check"):
        call_command("conformance", "BIG", stdout=out)
    with pytest.raises(CommandError, match="no user"):
        call_command("conformance", "BIG", "--user", "zoe", stdout=out)
