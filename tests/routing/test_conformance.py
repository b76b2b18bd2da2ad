"""Conformance runs against a scripted provider: in every dialect, with each check failing in its turn."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
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
ASKS_AGAIN = 'hx-trigger="every 1s"'


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


def until_it_ends(run_id: int) -> Conformance:
    deadline = time.monotonic() + 30
    while (found := Conformance.objects.get(pk=run_id)).state == Conformance.State.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def held(provider: ScriptedProvider) -> threading.Event:
    """A provider that keeps everybody waiting until this is set."""
    released = threading.Event()

    def wait(seen: Seen) -> None:
        assert released.wait(30)

    provider.on(wait)
    return released


def test_the_admin_begins_it_and_the_board_wears_a_badge(held: threading.Event, admin_client: Client) -> None:
    assert "not checked yet" in admin_client.get("/admin/routing/tier/").content.decode()
    begun = admin_client.post(PAGE, {"target": "BIG"})
    page = admin_client.get(begun["location"]).content.decode()
    assert "of 11 checks done" in page
    assert ASKS_AGAIN in page
    assert "not checked yet" in admin_client.get("/admin/routing/tier/").content.decode(), "no verdict yet"
    again = admin_client.post(PAGE, {"target": "openai/gpt-4.1"})
    assert again["location"] == begun["location"], "the same model is not asked twice at once"
    held.set()
    until_it_ends(int(begun["location"].rpartition("=")[2]))
    page = admin_client.get(begun["location"]).content.decode()
    assert "10 passed, 0 failed, 1 skipped" in page
    assert ASKS_AGAIN not in page
    for path in ("/admin/routing/tier/", PAGE):
        assert "10 of 10 checks" in admin_client.get(path).content.decode()
    assert "gpt-4.1: 10 of 10" in admin_client.get("/admin/routing/provider/").content.decode()
    assert "model: nothing" in admin_client.post(PAGE, {"target": "nothing"}).content.decode()


def test_the_api_begins_it_and_tells_how_far_it_is(held: threading.Event, admin_client: Client) -> None:
    answer = admin_client.post("/api/conformance", {"target": "BIG"}, content_type="application/json")
    assert answer.status_code == 202
    begun = answer.json()
    assert (begun["state"], begun["duration_ms"], begun["by"]) == ("running", None, "admin")
    address = f"/api/conformance/{begun['id']}"
    deadline = time.monotonic() + 30
    while {one["outcome"] for one in admin_client.get(address).json()["results"]} != {"waiting", "running", "skipped"}:
        assert time.monotonic() < deadline, "progress is shown while it is made"
        time.sleep(0.05)
    held.set()
    until_it_ends(begun["id"])
    found = admin_client.get(address).json()
    assert (found["state"], found["passed"], found["failed"]) == ("finished", 10, 0)
    assert admin_client.get("/api/conformance/999999").status_code == 404


def under_way(**fields: Any) -> Conformance:
    """A run that another worker has begun."""
    target = conformance.target_of(load(), None, "BIG").target
    return Conformance.objects.create(
        **{"state": "running", "seen_at": Now(), "provider": target.provider, "model": target.model, "results": []}
        | fields
    )


def test_a_run_whose_worker_is_gone_does_not_run_for_ever(provider: ScriptedProvider, admin_client: Client) -> None:
    lost = under_way(seen_at=Now() - timedelta(seconds=31))
    page = admin_client.get(f"{PAGE}?run={lost.pk}").content.decode()
    assert "run the checks again" in page
    assert ASKS_AGAIN not in page
    assert admin_client.get(f"/api/conformance/{lost.pk}").json()["state"] == "interrupted"
    assert run("BIG").passed == 10
    assert conformance.latest()[(lost.provider, lost.model)].passed == 10


def test_the_command_does_not_disturb_another_workers_run(provider: ScriptedProvider) -> None:
    other = under_way()
    with pytest.raises(CommandError, match="being checked right now"):
        call_command("conformance", "BIG")
    other.refresh_from_db()
    assert other.state == "running"
    assert provider.inferences == []


def test_a_run_that_breaks_off_says_so(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(work: Coroutine[Any, Any, Any]) -> None:
        work.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("routing.calls.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("BIG")
    assert Conformance.objects.get().state == "interrupted"


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
