"""The recorded streams are what they claim to be: framed as their vendor frames, read by the vendors' own models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.support.grammar import check_stream
from tests.support.provider import Raw, ScriptedProvider
from tests.support_tests.asking import Ask, events

RECORDED = Path(__file__).resolve().parents[1] / "recorded"
FOLDERS = ("anthropic", "gemini", "openai_chat", "openai_responses")


def files(folder: str) -> list[Path]:
    return sorted((RECORDED / folder).glob("*.txt"))


def named(path: Path) -> str:
    return path.stem


def test_there_are_enough() -> None:
    assert all(len(files(folder)) >= 8 for folder in FOLDERS)


@pytest.mark.parametrize("path", files("anthropic"), ids=named)
def test_anthropic(path: Path) -> None:
    told = check_stream(path.read_bytes())
    assert (told.error is not None) == path.stem.startswith("error")


@pytest.mark.parametrize("path", files("openai_chat"), ids=named)
def test_openai_chat(path: Path) -> None:
    text = path.read_bytes().decode()
    assert text.endswith("data: [DONE]\n\n") or path.stem.startswith("error")
    for event in events(text.encode()):
        if "error" not in event:
            ChatCompletionChunk.model_validate(event)


@pytest.mark.parametrize("path", files("openai_responses"), ids=named)
def test_openai_responses(path: Path, provider: ScriptedProvider, gpt: openai.OpenAI) -> None:
    told = events(path.read_bytes())
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    provider.reply(Raw(path.read_bytes()))
    stream = gpt.responses.create(model="gpt-5.1", input="hi", stream=True)
    if path.stem == "error_then_failed":
        with pytest.raises(openai.APIError, match="You exceeded your current quota"):
            list(stream)
    else:
        assert [event.type for event in stream] == [event["type"] for event in told]


@pytest.mark.parametrize("path", files("gemini"), ids=named)
def test_gemini(path: Path) -> None:
    stream = path.read_bytes()
    frames = stream.split(b"\r\n\r\n")
    assert frames.pop() == b""
    assert all(frame.startswith(b"data: {") and b"\n" not in frame for frame in frames)
    assert all("candidates" in event or "promptFeedback" in event or "error" in event for event in events(stream))


def test_they_can_be_replayed(provider: ScriptedProvider, ask: Ask) -> None:
    recorded = (RECORDED / "openai_chat" / "long_multibyte.txt").read_bytes()
    provider.reply(Raw(recorded, cuts=tuple(range(1, len(recorded), 501))))
    assert ask.stream("openai_chat") == recorded


@pytest.fixture(scope="module")
def gpt(running: ScriptedProvider) -> Iterator[openai.OpenAI]:
    """The vendor's client; one for all, for making one is what takes time."""
    with openai.OpenAI(api_key="k", base_url=f"{running.base_url}/v1", max_retries=0) as made:
        yield made
