"""What is asked of a model, and what its answer must be. Each check holds for any model that is worth mapping to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from accounting.identity import Caller
from routing import calls
from routing.gateway.reply import Accumulator
from routing.grammar import GrammarError, Laws, Transcript, check_message, check_stream
from routing.resolution import Resolution
from routing.trial import IMAGE, WEATHER
from routing.upstream.errors import UpstreamError
from routing.upstream.events import JSON, Event
from routing.upstream.stream import count_tokens
from routing.upstream.target import Capabilities
from routing.upstream.tokens import estimate

CLIENT: Final = "Tollgate, conformance"
_MAX_TOKENS: Final = 2048  # room for a model that thinks before it speaks
_THINKING_TOKENS: Final = 1024
_SHOWN: Final = 120  # characters of an answer


class Failed(Exception):
    """An answer is not what it must be; the message says why."""


@dataclass(slots=True)
class Bench:
    """Where one check asks from. ``request_ids`` are its calls, by which their cost is found on the ledger."""

    resolution: Resolution
    caller: Caller
    request_ids: list[str] = field(default_factory=list)

    async def ask(self, messages: list[JSON], *, stream: bool = True, **fields: Any) -> Transcript:
        """The answer, judged by Anthropic's grammar. Raises Failed."""
        body = {"max_tokens": _MAX_TOKENS, "stream": stream, "messages": messages} | fields
        called = await calls.call(self.resolution, self.caller, body, client=CLIENT)
        self.request_ids.append(called.request_id)
        if called.error:
            status = f"HTTP {called.provider_status}: " if called.provider_status else ""
            raise Failed(status + called.error)
        # Ids of a provider that is passed through are its own affair.
        laws = Laws(ids=self.resolution.target.dialect != "anthropic")
        try:
            return _judged(called.events, stream, laws)
        except GrammarError as error:
            raise Failed(f"Against Anthropic's grammar: {error}") from error


def _judged(events: list[Event], stream: bool, laws: Laws) -> Transcript:
    if stream:
        return check_stream(b"".join(event.encode() for event in events), laws=laws)
    accumulator = Accumulator()
    for event in events:
        if (whole := accumulator.feed(event)) is not None:
            return check_message(orjson.loads(whole), laws=laws)
    raise GrammarError("the answer has no end")


def user(text: str) -> JSON:
    return {"role": "user", "content": text}


def _expect(holds: object, why: str) -> None:
    if not holds:
        raise Failed(why)


def _text(answer: Transcript, *wanted: str) -> str:
    """The answer's text, cut. Raises Failed where it is empty or holds none of ``wanted``."""
    text = " ".join(answer.text.split())
    _expect(text, f"The answer has no text (stop_reason {answer.stop_reason}).")
    if wanted:
        _expect(
            any(word.lower() in text.lower() for word in wanted), f"Expected {' or '.join(wanted)} in: {text[:_SHOWN]}"
        )
    return text[:_SHOWN]


async def _whole(bench: Bench) -> str:
    answer = await bench.ask([user("Answer with the single word: ready.")], stream=False)
    _expect(answer.stop_reason == "end_turn", f"stop_reason is {answer.stop_reason}, not end_turn.")
    return _text(answer)


async def _streamed(bench: Bench) -> str:
    answer = await bench.ask([user("Say in one short sentence what a toll gate is.")])
    _expect(answer.stop_reason == "end_turn", f"stop_reason is {answer.stop_reason}, not end_turn.")
    return f"in {answer.deltas} pieces: {_text(answer)}"


async def _system(bench: Bench) -> str:
    system = [{"type": "text", "text": "Whatever you are asked, answer with the single word ORCHID and nothing else."}]
    return _text(await bench.ask([user("Which flower do you like?")], system=system), "orchid")


async def _turns(bench: Bench) -> str:
    talk = [
        user("My cat is called Marmalade."),
        {"role": "assistant", "content": [{"type": "text", "text": "A lovely name."}]},
        user("What is my cat called? Answer with one word."),
    ]
    return _text(await bench.ask(talk), "marmalade")


async def _stop(bench: Bench) -> str:
    answer = await bench.ask([user("Write the numbers from one to five hundred in words.")], max_tokens=16)
    _expect(answer.stop_reason == "max_tokens", f"stop_reason is {answer.stop_reason}, not max_tokens.")
    return "cut at max_tokens, and said so"


async def _tool(bench: Bench) -> str:
    """A forced call, and an answer made of its result."""
    tools: JSON = {"tools": [WEATHER]}
    question = user("What is the weather in Paris? Use the tool, then tell the temperature.")
    called = await bench.ask([question], tool_choice={"type": "tool", "name": WEATHER["name"]}, **tools)
    _expect(len(called.tool_uses) == 1, f"{len(called.tool_uses)} tool calls where one was forced.")
    _expect(called.stop_reason == "tool_use", f"stop_reason is {called.stop_reason}, not tool_use.")
    use = called.tool_uses[0]
    _expect("city" in use["input"], f"The call lacks its argument: {str(use['input'])[:_SHOWN]}")
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": "Rain, 17 degrees."}
    talk = [question, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
    return _text(await bench.ask(talk, **tools), "17", "seventeen")


async def _parallel(bench: Bench) -> str:
    question = user("What is the weather in Paris and in Tokyo? Call the tool for both cities at once, in one turn.")
    tools: JSON = {"tools": [WEATHER]}
    called = await bench.ask([question], tool_choice={"type": "any"}, **tools)
    _expect(len(called.tool_uses) >= 2, f"{len(called.tool_uses)} tool calls in one turn where two were asked for.")
    results = [
        {"type": "tool_result", "tool_use_id": use["id"], "content": f"{number} degrees."}
        for number, use in enumerate(called.tool_uses, start=17)
    ]
    talk = [question, {"role": "assistant", "content": called.content}, {"role": "user", "content": results}]
    return f"{len(called.tool_uses)} calls: {_text(await bench.ask(talk, **tools))}"


async def _image(bench: Bench) -> str:
    source = {"type": "base64", "media_type": "image/png", "data": IMAGE}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "Which colour is this? One word."}]
    return _text(await bench.ask([{"role": "user", "content": content}]))


async def _thinking(bench: Bench) -> str:
    """With thinking on, and what was thought handed back in the next turn, as Claude Code does."""
    adaptive = bench.resolution.target.capabilities.reasoning == "adaptive"
    thinking = {"type": "adaptive"} if adaptive else {"type": "enabled", "budget_tokens": _THINKING_TOKENS}
    fields: JSON = {"thinking": thinking, "max_tokens": _THINKING_TOKENS + _MAX_TOKENS}
    question = user("How much is 17 times 23? Answer with the number.")
    answer = await bench.ask([question], **fields)
    _text(answer, "391")
    talk = [question, {"role": "assistant", "content": answer.content}, user("And how much is that plus 9?")]
    _text(await bench.ask(talk, **fields), "400")
    return "thinking is shown" if answer.thinking else "the model shows none of its thinking"


async def _count(bench: Bench) -> str:
    counts, own = [], False
    for words in (10, 400):
        body = {"max_tokens": 1, "messages": [user("toll " * words)]}
        request = calls.message_request(bench.resolution, body)
        try:
            async with asyncio.timeout(calls.SECONDS):
                counted = await count_tokens(bench.resolution.target, request)
        except UpstreamError as error:
            raise Failed(error.message) from error
        except TimeoutError:
            raise Failed(f"No count within {calls.SECONDS:.0f} seconds.") from None
        own = counted is not None
        counts.append(counted if counted is not None else await asyncio.to_thread(estimate, request.body, 0))
    _expect(0 < counts[0] < counts[1], f"{counts[0]} tokens for ten words, {counts[1]} for four hundred.")
    return f"{counts[1]} tokens for 400 words, {'by the provider' if own else 'estimated by the gateway'}"


@dataclass(frozen=True, slots=True)
class Check:
    """``needs`` says of what a model can do whether it is asked at all."""

    name: str
    said: str
    ask: Callable[[Bench], Awaitable[str]]
    needs: Callable[[Capabilities], bool] = lambda capabilities: True


CHECKS: Final = (
    Check("text", "Text, in one piece", _whole),
    Check("stream", "Stream, event by event", _streamed),
    Check("system", "System prompt", _system),
    Check("turns", "Several turns", _turns),
    Check("stop", "Stop reason", _stop),
    Check("tool", "Tool call and its result", _tool, lambda can: can.tools),
    Check("parallel", "Parallel tool calls", _parallel, lambda can: can.tools and can.parallel_tools),
    Check("image", "Image", _image, lambda can: can.vision),
    Check("thinking", "Thinking, and handing it back", _thinking, lambda can: can.reasoning != "none"),
    Check("count", "Token count before sending", _count),
)
