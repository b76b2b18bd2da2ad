"""Faults strike where the script says, and the record tells how each exchange ended."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.support.provider import (
    Cut,
    ErrorEvent,
    Fail,
    Garbage,
    Hang,
    Raw,
    Reply,
    ScriptedProvider,
    Text,
    Wire,
)
from tests.support.provider.script import FailKind
from tests.support_tests.asking import Ask, body, events

TEXT = Text("one two three four five six seven eight")

STATUSES: dict[str, dict[str, int]] = {
    "rate_limit": dict.fromkeys(("anthropic", "gemini", "openai_chat", "openai_responses"), 429),
    "overloaded": {"anthropic": 529, "gemini": 503, "openai_chat": 503, "openai_responses": 503},
    "context": dict.fromkeys(("anthropic", "gemini", "openai_chat", "openai_responses"), 400),
    "context_with_max_tokens": dict.fromkeys(("anthropic", "gemini", "openai_chat", "openai_responses"), 400),
    "auth": {"anthropic": 401, "gemini": 400, "openai_chat": 401, "openai_responses": 401},
    "model": {"anthropic": 404, "gemini": 404, "openai_chat": 404, "openai_responses": 400},
    "server": dict.fromkeys(("anthropic", "gemini", "openai_chat", "openai_responses"), 500),
}


@pytest.mark.parametrize("kind", STATUSES)
def test_failures_have_the_vendors_status(ask: Ask, provider: ScriptedProvider, dialect: str, kind: FailKind) -> None:
    provider.reply(Fail(kind, retry_after=3))
    answer = ask.plain(dialect)
    assert answer.status_code == STATUSES[kind][dialect]
    message = answer.json()["error"]["message"]
    assert message
    assert "{" not in message


def test_overflow_is_told_in_each_vendors_words(ask: Ask, provider: ScriptedProvider) -> None:
    told = {}
    for dialect in ("anthropic", "gemini", "openai_chat", "openai_responses"):
        provider.reply(Fail("context", tokens=210_000, limit=200_000))
        told[dialect] = ask.refused(dialect)
    assert told["anthropic"] == "prompt is too long: 210000 tokens > 200000 maximum"
    assert told["gemini"].startswith("The input token count (210000) exceeds the maximum number of tokens allowed")
    assert told["openai_chat"].startswith("This model's maximum context length is 200000 tokens.")
    assert told["openai_responses"].startswith("Your input exceeds the context window of this model.")


def test_where_a_vendor_says_when_to_come_back(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(*[Fail("rate_limit", retry_after=2.5)] * 3)
    assert ask.plain("openai_chat").headers["retry-after-ms"] == "2500"
    assert ask.plain("anthropic").headers["retry-after"] == "3"
    gemini = ask.plain("gemini")
    assert "retry-after" not in gemini.headers
    assert gemini.json()["error"]["details"][1]["retryDelay"] == "2.5s"


def test_a_page_of_html(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Fail("html"))
    answer = ask.plain(dialect)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=UTF-8")


def test_cut_in_the_middle(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Reply([TEXT], delta=4, fault=Cut(after=3)), Reply([TEXT], delta=4, fault=Cut(after=3, reset=True)))
    for _ in range(2):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            ask.stream(dialect)


def test_cut_before_the_headers(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Cut(), Cut(reset=True))
    for _ in range(2):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            ask.plain(dialect)


def test_hang_in_the_middle_until_the_client_leaves(client: httpx.Client, ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([TEXT], delta=4, fault=Hang(after=2)))
    asked = body("openai_chat", stream=True)
    with client.stream("POST", ask.url("openai_chat"), json=asked) as response:
        told = b""
        for chunk in response.iter_raw():
            told += chunk
            if told.count(b'"content"') == 3:
                break
    seen = provider.wait_for_disconnect(0)
    assert seen.finished is None
    assert seen.status == 200


async def test_disconnects_can_be_awaited(provider: ScriptedProvider) -> None:
    provider.reply(Hang())
    async with httpx.AsyncClient(timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(
                f"{provider.base_url}/v1/chat/completions",
                json=body("openai_chat"),
                headers={"authorization": "Bearer k"},
            )
    seen = await provider.disconnected(0)
    assert seen.status is None


def test_a_hang_that_ends(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Reply([TEXT], fault=Hang(after=1, seconds=0.05)), Reply([TEXT], fault=Hang(seconds=0.05)))
    started = time.monotonic()
    assert events(ask.stream(dialect))
    ask.accepted(dialect)
    assert time.monotonic() - started >= 0.1


def test_a_full_answer_is_no_disconnect(ask: Ask, provider: ScriptedProvider) -> None:
    ask.accepted("openai_chat")
    with pytest.raises(AssertionError, match="answered in full"):
        provider.wait_for_disconnect(0)
    with pytest.raises(TimeoutError, match="only 1 requests arrived"):
        provider.wait_for_request(1, timeout=0.01)


def test_stopping_ends_a_hang() -> None:
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    with ScriptedProvider() as provider, httpx.Client(base_url=provider.base_url, headers=headers) as client:
        provider.reply(Hang())
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/messages", json=body("anthropic"), timeout=0.05)
        provider.reply(Reply([TEXT], fault=Hang(after=1)))
        with client.stream("POST", "/v1/messages", json=body("anthropic", stream=True)):
            started = time.monotonic()
            provider.stop()
            assert time.monotonic() - started < 2


def test_error_in_the_middle(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Reply([TEXT], delta=4, fault=ErrorEvent(Fail("overloaded"), after=2)))
    told = events(ask.stream(dialect))
    if dialect == "openai_responses":
        assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
        assert told[-2]["error"]["code"] == told[-1]["response"]["error"]["code"] == "server_is_overloaded"
        assert [event["sequence_number"] for event in told] == list(range(len(told)))
    else:
        assert "overloaded" in told[-1]["error"]["message"].lower()
    assert TEXT.text[8:] not in str(told)


def test_error_of_a_plain_answer_is_a_status(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Reply([TEXT], fault=ErrorEvent(Fail("server"))))
    assert ask.plain(dialect).status_code == 500


def test_garbage_in_the_middle(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Reply([TEXT], delta=4, fault=Garbage(after=2, data=b"{oops")))
    stream = ask.stream(dialect)
    assert stream.count(b"{oops") == 1
    assert stream.index(b"{oops") < len(stream) - 100


def test_line_ends_and_spaces(ask: Ask, provider: ScriptedProvider, dialect: str) -> None:
    provider.reply(Reply([TEXT]), Reply([TEXT], wire=Wire(newline="\r", space=False, comments=True)))
    usual, strange = ask.stream(dialect), ask.stream(dialect)
    assert b"data: " not in strange
    assert b"\n" not in strange
    assert b": OPENROUTER PROCESSING\r\r" in strange
    assert len(events(usual)) == len(events(strange))


def test_nothing_at_the_end(ask: Ask, provider: ScriptedProvider) -> None:
    quiet = Reply([TEXT], stop=None, usage=None, wire=Wire(done=False))
    provider.reply(quiet, quiet, quiet)
    assert b"[DONE]" not in ask.stream("openai_chat", stream_options={"include_usage": True})
    assert b"message_delta" not in ask.stream("anthropic")
    stream = ask.stream("gemini")
    assert b"finishReason" not in stream
    assert b"usageMetadata" not in stream


def test_recorded_bytes_go_out_as_they_are(ask: Ask, provider: ScriptedProvider) -> None:
    recorded = b"data: {}\n\ndata: [DONE]\n\n"
    provider.reply(Raw(recorded, cuts=(3, 11)), Raw(recorded, cut=True), Raw(b"no", status=418))
    assert ask.stream("openai_chat") == recorded
    with pytest.raises(httpx.RemoteProtocolError):
        ask.stream("openai_chat")
    assert ask.plain("openai_chat").status_code == 418


def test_gzip_of_a_plain_answer(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([TEXT], wire=Wire(encoding="gzip")))
    answer = ask.plain("openai_chat")
    assert answer.headers["content-encoding"] == "gzip"
    assert TEXT.text in answer.text
