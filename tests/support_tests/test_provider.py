"""Scripting, recording, access, brains, the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.provider import Answer, Fail, Reply, ScriptedProvider, Seal, Seen, Text, ToolTask
from tests.support.provider.dialect import Conversation
from tests.support.provider.script import ToolCall
from tests.support_tests.asking import MODELS, Ask, body

ROOT = Path(__file__).resolve().parents[2]


def test_echoes_without_a_script(ask: Ask, dialect: str) -> None:
    assert f"{MODELS[dialect]} heard: hi" in json.dumps(ask.accepted(dialect))


def test_what_is_recorded(ask: Ask, provider: ScriptedProvider) -> None:
    ask.accepted("openai_chat")
    ask.refused("gemini", foo=1)
    ask.client.get("/somewhere?x=1")
    first, second, third = provider.requests
    assert (first.dialect, first.purpose, first.method, first.path) == (
        "openai_chat",
        "inference",
        "POST",
        "/v1/chat/completions",
    )
    assert first.body == body("openai_chat")
    assert first.headers["authorization"] == "Bearer key"
    assert first.finished is not None
    assert first.arrived <= first.finished
    assert (second.status, provider.refusals) == (400, [second.refusal])
    assert (third.dialect, third.query, third.status) == (None, {"x": "1"}, 404)
    assert provider.inferences == [first, second]


def test_hooks_then_queue_then_brain(ask: Ask, provider: ScriptedProvider) -> None:
    def hook(seen: Seen) -> Answer | None:
        return Reply([Text("hooked")]) if seen.body["model"] == "gpt-4o" else None

    provider.on(hook)
    provider.reply(Reply([Text("queued")]))
    said = [
        ask.accepted("openai_chat", model)["choices"][0]["message"]["content"]
        for model in ("gpt-4o", "gpt-4.1", "gpt-4.1")
    ]
    assert said == ["hooked", "queued", "gpt-4.1 heard: hi"]


def test_a_refused_request_uses_no_answer_up(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("x")]))
    ask.refused("openai_chat", foo=1)
    assert provider.pending == 1


def test_leniency(ask: Ask, provider: ScriptedProvider) -> None:
    provider.desk.strict = False
    ask.accepted("openai_chat", foo=1)


@pytest.mark.parametrize(("dialect", "status"), [("anthropic", 401), ("gemini", 403), ("openai_chat", 401)])
def test_keys(provider: ScriptedProvider, ask: Ask, dialect: str, status: int) -> None:
    bare = httpx.post(provider.base_url + ask.url(dialect), json=body(dialect))
    assert bare.status_code == status
    provider.desk.api_key = "right"
    assert ask.plain(dialect).status_code == {"gemini": 400}.get(dialect, 401)


def test_versions_bodies_models(provider: ScriptedProvider, ask: Ask) -> None:
    versionless = httpx.post(f"{provider.base_url}/v1/messages", json=body("anthropic"), headers={"x-api-key": "k"})
    assert versionless.json()["error"]["message"] == "anthropic-version: header is required"
    broken = ask.client.post("/v1/chat/completions", content=b'{"model": ')
    assert broken.json()["error"]["message"].startswith("We could not parse the JSON body of your request.")
    provider.desk.known = ["gpt-4.1"]
    assert ask.plain("openai_chat", "gpt-9").json()["error"]["code"] == "model_not_found"


def test_a_bottomless_schema_is_refused(ask: Ask) -> None:
    schema: dict[str, object] = {"type": "object", "properties": {}}
    for _ in range(450):
        schema = {"type": "object", "properties": {"a": schema}}
    message = ask.refused("gemini", tools=[{"functionDeclarations": [{"name": "f", "parameters": schema}]}])
    assert message == "The request exceeds the maximum allowed nesting depth."


def test_counts_can_be_scripted(ask: Ask, provider: ScriptedProvider) -> None:
    provider.counts(7, Fail("server"))
    asked = body("anthropic")
    del asked["max_tokens"]
    url = "/v1/messages/count_tokens"
    assert ask.client.post(url, json=asked).json() == {"input_tokens": 7}
    assert ask.client.post(url, json=asked).status_code == 500


def test_seals_know_their_own() -> None:
    ours, theirs = Seal(), Seal("another")
    value = ours.write("kind", "content")
    assert ours.wrote("kind", value)
    assert ours.wrote("kind", value, "content")
    assert Seal().write("kind", "content") == value
    assert not ours.wrote("kind", value, "other")
    assert not ours.wrote("other", value)
    assert not ours.wrote("kind", value[:-8] + "AAAAAAA=")
    assert not theirs.wrote("kind", value)
    assert not ours.wrote("kind", "not base64!")


def test_the_task_step_by_step() -> None:
    task = ToolTask(parallel=True, thinking=True)
    results: tuple[str, ...] = ()
    said = []
    for result in ("/work/here\n", "second", "written", "content", ""):
        step = task(Conversation("m", ("Bash", "Write", "Read"), False, "go", results))
        said.append([part for part in step.parts if isinstance(part, ToolCall)])
        results = (*results, result)
    assert [[call.name for call in calls] for calls in said] == [["Bash", "Bash"], ["Bash"], ["Write"], ["Read"], []]
    assert said[2][0].arguments == {"file_path": "/work/here/tollgate-task.txt", "content": task.content}
    assert said[3][0].arguments == {"file_path": "/work/here/tollgate-task.txt"}


def test_the_task_over_http(ask: Ask, provider: ScriptedProvider) -> None:
    provider.desk.brain = ToolTask()
    schema = {"type": "object", "properties": {}}
    tools = [{"name": name, "input_schema": schema} for name in ("Bash", "Write", "Read")]
    messages = [{"role": "user", "content": "go"}]
    names = []
    for result in ("/tmp/x", "written", "content", None):
        content = ask.accepted("anthropic", tools=tools, messages=messages)["content"]
        calls = [block for block in content if block["type"] == "tool_use"]
        names.append([call["name"] for call in calls])
        answers = [{"type": "tool_result", "tool_use_id": call["id"], "content": result} for call in calls]
        messages += [{"role": "assistant", "content": content}, {"role": "user", "content": answers}]  # type: ignore[dict-item]
    assert names == [["Bash"], ["Write"], ["Read"], []]
    assert "Done. The file is at /tmp/x/tollgate-task.txt." in str(messages)


@pytest.mark.parametrize("options", [["--brain", "tool-task"], ["--baked", "32"]], ids=["brain", "baked"])
def test_the_process(tmp_path: Path, options: list[str]) -> None:
    command = [sys.executable, "-m", "tests.support.provider", "--state-dir", str(tmp_path), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:")
            url = line.split()[-1]
            assert int((tmp_path / "port").read_text()) == int(url.rpartition(":")[2])
            with httpx.Client(base_url=url, headers={"authorization": "Bearer k", "x-goog-api-key": "k"}) as client:
                asking = Ask(client)
                assert asking.accepted("openai_chat")["object"] == "chat.completion"
                assert asking.stream("openai_responses").count(b"response.output_text.delta") >= 1
                assert b"candidates" in asking.stream("gemini")
        finally:
            process.terminate()
    if "--baked" not in options:
        assert len((tmp_path / "requests.jsonl").read_text().splitlines()) == 3
