"""Every other provider, through LiteLLM's library: Bedrock, Vertex AI, Cohere, watsonx, Databricks, ...

LiteLLM is asked in chat completions (``acompletion``, never its own Anthropic layer) and answers in them, so request
and answer are those of ``openai_chat``; what is here is the way there and back. The library costs seconds and some
160 MiB to import: only a worker with a route that needs it imports it, once, in a thread.

Source: https://docs.litellm.ai/docs/completion/input, and how LiteLLM 1.106.2 was seen to behave
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any, Final

import orjson

from ..dialect import Call, Dialect, ListPage, Payloads, Translator, said
from ..errors import Broken, Misconfigured, TimedOut, Unavailable, UpstreamError
from ..events import JSON
from ..http import timeouts
from ..messages import MessagesRequest
from ..refusals import by_status
from ..target import Target
from . import openai_errors
from .openai_chat_answer import ChatAnswer
from .openai_chat_request import chat_body, cut_here
from .openai_chat_state import BLOCKS

# Read by LiteLLM at its import: no look-up over the network, no .env file of somebody's.
_ENVIRONMENT: Final = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
}
_SETTINGS: Final = {
    "disable_hf_tokenizer_download": True,
    "disable_streaming_logging": True,
    "turn_off_message_logging": True,
    "suppress_debug_info": True,
    "telemetry": False,
}
_CALL: Final = {
    "max_retries": 0,
    "num_retries": 0,
    "drop_params": True,  # what a provider does not take is left out, not refused
    "_skip_mcp_handler": True,  # without it 1.106.2 wants the mcp package for every call with tools
}
_AHEAD: Final = 8  # chunks read before the client has taken them: a slow reader slows its provider
_CLOSING: Final = 5.0  # seconds that LiteLLM gets to close a connection
_MAX_MESSAGE: Final = 4_000


class LiteLLM:
    """The dialect: chat completions in LiteLLM's own reading. Its ``Call`` is carried by ``shell`` alone."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        body = chat_body(_understood(target), request) | {"model": model_name(target)}
        if target.capabilities.reasoning == "budget" and _resumes_without_thinking(body["messages"]):
            body.pop("reasoning_effort", None)
            for message in body["messages"]:
                message.pop(BLOCKS, None)
        return Call("litellm:", {}, orjson.dumps(body))

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        return request.stream or cut_here(target, request)

    def translator(self, target: Target, request: MessagesRequest) -> Translator:
        return ChatAnswer(target, request)

    def refusal(
        self, target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
    ) -> UpstreamError:
        return openai_errors.refusal(target, request, status, headers, body)

    def count_call(self, target: Target, request: MessagesRequest) -> Call | None:
        return None  # LiteLLM's counters ignore a custom base and fall back to a local guess in silence

    def count(self, payload: bytes) -> int:
        raise Broken("LiteLLM has no token counter of the provider's.")

    def list_call(self, target: Target, after: str) -> None:
        return None  # the library knows of none: its models are those of its bundled list

    def listed(self, payload: bytes) -> ListPage:
        raise Broken("LiteLLM asks no provider for a list of models.")


def model_name(target: Target) -> str:
    """The model as LiteLLM names it: ``bedrock/anthropic.claude-…``."""
    return f"{target.litellm_provider}/{target.model}" if target.litellm_provider else target.model


def _understood(target: Target) -> Target:
    """The target in terms that LiteLLM translates by itself: an effort for all that reason, and ``max_tokens``.

    One row may carry every provider that LiteLLM knows, so it is the model that says whether it takes breakpoints.
    """
    can, quirks = target.capabilities, target.quirks
    # Claude thinks by no word of OpenAI's scale, and may be told not to.
    efforts = ("none", *can.efforts) if can.reasoning in ("budget", "adaptive") else can.efforts
    return replace(
        target,
        capabilities=replace(can, reasoning="none" if can.reasoning == "none" else "effort", efforts=efforts),
        quirks=replace(
            quirks,
            max_tokens_field=quirks.max_tokens_field or "max_tokens",
            cache_control=quirks.cache_control or can.cache_control,
        ),
    )


def _resumes_without_thinking(messages: list[JSON]) -> bool:
    """Whether the answer goes on after a call of another provider's, which older Claude models cannot do thinking.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking (preserving thinking blocks)
    """
    said = next((message for message in reversed(messages) if message["role"] == "assistant"), {})
    return messages[-1]["role"] == "tool" and not said.get(BLOCKS)


def credentials(target: Target) -> dict[str, Any]:
    """LiteLLM's credential parameters, from the provider's one secret.

    An API key is itself. Clouds need more: a JSON object holds LiteLLM's parameters by name (``aws_access_key_id``,
    ``aws_secret_access_key``, ``vertex_credentials``, ...), and Google's service account file is taken as it is.
    Raises Misconfigured where the object is no JSON.
    """
    secret = target.api_key.strip()
    if not secret.startswith("{"):
        return {"api_key": secret} if secret else {}
    try:
        found: dict[str, Any] = orjson.loads(secret)
    except orjson.JSONDecodeError:
        raise Misconfigured(f"The credential of provider {target.provider} is not valid JSON.") from None
    return {"vertex_credentials": secret} if found.get("type") == "service_account" else found


# --- the shell ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def shell(dialect: Dialect, target: Target, request: MessagesRequest) -> AsyncIterator[Payloads]:
    """The Shell (see ``stream``) of what LiteLLM carries.

    LiteLLM runs in a task of its own, whose end is the one sure way to close its connection: on leaving, it is
    cancelled. The first chunk is pulled before this yields, since with some providers nothing is sent earlier.
    """
    arguments = _arguments(dialect, target, request)
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
    pump = asyncio.create_task(_pump(arguments, target, queue))
    try:
        first = await _next(queue, pump, target, request)
        async with aclosing(_payloads(first, queue, pump, target, request)) as payloads:
            yield payloads
    finally:
        pump.cancel()
        await asyncio.wait({pump}, timeout=_CLOSING)
        if pump.done() and not pump.cancelled():
            pump.exception()  # whatever it was, it has been told or nobody is left to be told


def _arguments(dialect: Dialect, target: Target, request: MessagesRequest) -> dict[str, Any]:
    """The keyword arguments of ``acompletion``. What the request says outranks what the provider's row adds."""
    arguments: dict[str, Any] = {**target.quirks.litellm_params, **credentials(target)}
    arguments |= orjson.loads(said(dialect.call, target, request).body)
    if target.base_url:
        arguments["api_base"] = target.base_url
    if target.headers:
        arguments["extra_headers"] = dict(target.headers)
    return arguments | _CALL | {"timeout": timeouts.silence}


async def _pump(arguments: dict[str, Any], target: Target, queue: asyncio.Queue[bytes | None]) -> None:
    """Puts the answer into ``queue`` as payloads of chat completions, None at its end."""
    library = await _library()
    answer = await library.acompletion(**arguments)
    if not arguments.get("stream"):
        await queue.put(_json(answer))
    else:
        try:
            async for chunk in answer:
                await queue.put(_chunk(chunk, answer))
        finally:
            if (close := getattr(answer, "aclose", None)) is not None:
                await close()
        if getattr(answer, "received_finish_reason", "") is None:
            # LiteLLM makes up a finish reason for an answer that broke off.
            raise Broken(f"Provider {target.provider} ended its answer too early.")
        await queue.put(b"[DONE]")
    await queue.put(None)


def _chunk(chunk: Any, answer: Any) -> bytes:
    """A chunk's JSON, without the usage that LiteLLM makes up where the provider sent none."""
    if getattr(chunk, "usage", None) is not None and not any(
        getattr(seen, "usage", None) is not None for seen in getattr(answer, "chunks", ())
    ):
        data = chunk.model_dump(exclude_none=True, exclude={"usage"}, warnings="none")
        return orjson.dumps(data)
    return _json(chunk)


def _json(model: Any) -> bytes:
    said: str = model.model_dump_json(exclude_none=True, warnings="none")
    return said.encode()


async def _payloads(
    first: bytes | None,
    queue: asyncio.Queue[bytes | None],
    pump: asyncio.Task[None],
    target: Target,
    request: MessagesRequest,
) -> Payloads:
    payload = first
    while payload is not None:
        yield [("", payload)]
        payload = await _next(queue, pump, target, request)


async def _next(
    queue: asyncio.Queue[bytes | None], pump: asyncio.Task[None], target: Target, request: MessagesRequest
) -> bytes | None:
    """The next payload, None at the end. Raises what became of the pump, as an UpstreamError."""
    if queue.empty():
        waiting = asyncio.ensure_future(queue.get())
        try:
            await asyncio.wait({waiting, pump}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()
        if (error := pump.exception()) is not None:
            raise failure(target, request, error) from error
    return queue.get_nowait()


async def _library() -> ModuleType:
    """LiteLLM, imported and set up once."""
    return await asyncio.to_thread(_imported)


def _imported() -> ModuleType:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    library = importlib.import_module("litellm")
    for name, setting in _SETTINGS.items():
        setattr(library, name, setting)
    for logger in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # its messages hold prompts
    return library


# --- errors ---------------------------------------------------------------------------------------------------------


def failure(target: Target, request: MessagesRequest, error: BaseException) -> UpstreamError:
    """The one translation of what LiteLLM, its 187 providers' code and its HTTP clients raise.

    Known ones carry a status and the provider's body inside their message. Of others only the class is shown: their
    words may be the prompt's.
    """
    if isinstance(error, UpstreamError):
        return error
    if isinstance(error, ModuleNotFoundError):
        return Misconfigured("LiteLLM, or a package that it needs for this provider, is not installed.")
    original = getattr(error, "original_exception", None)  # of an error in the middle of a stream
    if isinstance(original, BaseException) and getattr(original, "status_code", None) is not None:
        error = original
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        if isinstance(error, TimeoutError):
            return TimedOut(f"Provider {target.provider} did not answer in time.")
        return Unavailable(f"Provider {target.provider} failed inside LiteLLM ({type(error).__name__}).")
    headers = _headers(error)
    said = _said(error)
    if not said.message or (status >= 500 and "<" in said.message[:200]):
        return by_status(target, status, headers)
    return openai_errors.judged(target, request, said, status, headers)


def _said(error: BaseException) -> openai_errors.Said:
    """The provider's own error, which LiteLLM wraps in a text: ``litellm.X: YException - {"error": ...}``."""
    message = str(getattr(error, "message", ""))[:_MAX_MESSAGE]
    codes = {"context_length_exceeded"} if type(error).__name__ == "ContextWindowExceededError" else set()
    said = openai_errors.Said(message.rpartition("Exception - ")[2], frozenset(), None)
    if (start := message.find("{")) >= 0:
        try:
            inner = openai_errors.understood(json.JSONDecoder().raw_decode(message, start)[0])
        except json.JSONDecodeError:
            inner = said
        said = inner if inner.message else said
    return replace(said, codes=said.codes | codes)


def _headers(error: BaseException) -> dict[str, str]:
    found = getattr(error, "litellm_response_headers", None)
    if not found:
        found = getattr(getattr(error, "response", None), "headers", None)
    return {str(name).lower(): str(value) for name, value in found.items()} if found else {}
