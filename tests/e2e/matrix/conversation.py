"""Who says what when, and what a provider wants to see again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from tests.support.provider import Reply, Text, Thinking, ToolCall
from tests.support.provider.script import Part

from ..asking import THINKING, TOOLS, assistant, call, result, text, user
from .cells import Asking, Exchange, Feature, Section, Way, absent, degraded, foreign, native, openai, refused, theirs

_PREFILL = {"anthropic": "anthropic/claude-haiku-4-5"}
_SYSTEM = ({"role": "user", "content": "hi"}, {"role": "system", "content": "be brief"})
_AFTER = [assistant(text("ok")), user(text("go on"))]
_STEP: list[Part] = [Thinking("I think"), ToolCall("Read", {"path": "a"})]
_CONTINUED = degraded("asked to go on where the text stops", lambda x: "exactly where it stops" in x.said)
_DROPPED = degraded("left out, silently", lambda x: "sig-of-" not in x.said and x.heard.text)


def _two_steps(first: str | None = None, step: Sequence[Part] = _STEP) -> Way:
    """Asks ``first`` (None: the same model) for a call, and the model for what follows its result."""

    def way(asking: Asking) -> httpx.Response:
        asking.provider.reply(Reply(step), Reply([Text("ok")]))
        more: dict[str, Any] = {"stream": asking.stream, "tools": TOOLS, "thinking": THINKING}
        heard = asking.ask(first or asking.model, user(text("go")), **more)
        turns = [assistant(*heard.content), user(result(heard.tool_uses[0]["id"]))]
        return asking.ask.post(asking.model, user(text("go")), *turns, **more)

    return way


def _blocks(x: Exchange) -> list[str]:
    return [block["type"] for block in x.at("messages", 1, "content")]


def _signed(x: Exchange) -> object:
    return [part for turn in x.at("contents") for part in turn["parts"] if "thoughtSignature" in part]


def _items(x: Exchange) -> list[str]:
    return [item["type"] for item in x.at("input")]


_NOTHING_FOREIGN = native(
    lambda x: "thinking" not in x.said.split('"tools"')[0] and "tg1-" not in x.said, "the other's is left out, silently"
)
_REPAIRED = degraded(
    "answered for: the call was interrupted", lambda x: "interrupted before it gave a result" in x.said
)

SECTION = Section(
    "Conversation",
    (
        Feature(
            "system prompt",
            {
                "anthropic": native(lambda x: x.at("system", 0, "text") == "be kind"),
                "gemini": native(lambda x: x.at("systemInstruction", "parts", 0, "text") == "be kind"),
                **openai(
                    native(lambda x: x.at("messages", 0) == {"role": "developer", "content": "be kind"}),
                    native(lambda x: x.at("instructions") == "be kind"),
                    native(lambda x: x.at("messages", 0) == {"role": "system", "content": "be kind"}),
                ),
            },
            body={"system": [text("be kind")]},
        ),
        Feature(
            "Claude Code's attribution line",
            foreign(native(lambda x: "billing" not in x.said, "left out: it would spoil the prompt cache"))
            | {"anthropic": native(lambda x: "billing" in x.said)},
            body={"system": [text("x-anthropic-billing-header: cc_version=1; cc_entrypoint=cli;"), text("be kind")]},
        ),
        Feature(
            "`system` message in the middle",
            {
                "anthropic": native(lambda x: x.at("messages", 1, "role") == "system"),
                "gemini": degraded(
                    "in the user's turn, marked", lambda x: "<system>\\nbe brief" in x.said and x.heard.text
                ),
                **openai(
                    native(lambda x: x.at("messages", 1, "role") == "developer"),
                    native(lambda x: x.at("input", 1, "role") == "developer"),
                ),
                "litellm": degraded("in the user's turn, marked", lambda x: "<system-reminder>\\nbe brief" in x.said),
            },
            messages=(*_SYSTEM, *_AFTER),
            headers={"anthropic-beta": "mid-conversation-system-2026-04-07"},
        ),
        Feature(
            "several turns of one role",
            foreign(native(lambda x: "one" in x.said and "two" in x.said, "as one turn"))
            | {"anthropic": native(lambda x: len(x.at("messages")) == 2)},
            messages=(user(text("one")), user(text("two"))),
        ),
        Feature(
            "the assistant speaks first",
            foreign(native(lambda x: "Go on" in x.said or "ok" in x.said))
            | {"anthropic": native(lambda x: x.at("messages", 0, "role") == "assistant")},
            messages=_AFTER,
        ),
        Feature(
            "prefill",
            foreign(_CONTINUED) | {"anthropic": native(lambda x: x.at("messages", -1, "role") == "assistant")},
            messages=(user(text("a poem")), assistant(text("Roses are"))),
            models=_PREFILL,
        ),
        Feature(
            "`thread`: turns of a conversation kept at the provider",
            foreign(refused("Send the full conversation without `thread`"))
            | {"anthropic": theirs("thread_unsupported_request")},
            body={"thread": {"type": "create"}},
            headers={"anthropic-beta": "message-threads-2026-08-12"},
        ),
        Feature(
            "text beside results",
            {
                "anthropic": native(lambda x: x.at("messages", -1, "content", 1, "text") == "and then"),
                "gemini": native(lambda x: x.at("contents", -1, "parts", 1, "text") == "and then"),
                **openai(
                    native(lambda x: x.at("messages", -1, "content") == "and then"),
                    native(lambda x: x.at("input", -1, "content", 0, "text") == "and then"),
                ),
            },
            messages=(user(text("go")), assistant(call("toolu_1")), user(result("toolu_1"), text("and then"))),
            body={"tools": TOOLS},
        ),
        Feature(
            "call without a result",
            foreign(_REPAIRED) | {"anthropic": theirs("tool_use")},
            messages=(user(text("go")), assistant(call("toolu_1")), user(text("stop"))),
            body={"tools": TOOLS},
        ),
        Feature(
            "result without a call",
            foreign(degraded("as text that says so", lambda x: "not part of this conversation" in x.said))
            | {"anthropic": theirs("tool_use_id")},
            messages=(user(text("go")), assistant(text("ok")), user(result("toolu_9"))),
            body={"tools": TOOLS},
        ),
        Feature(
            "provider state, own",
            {
                "anthropic": native(lambda x: _blocks(x) == ["thinking", "tool_use"], "thinking, byte for byte"),
                "gemini": native(_signed, "thought signatures"),
                **openai(
                    absent("chat completions of OpenAI have none"),
                    native(lambda x: "reasoning" in _items(x), "encrypted reasoning"),
                    native(lambda x: "I think" in x.said, "the host's reasoning field"),
                ),
            },
            way=_two_steps(None),
        ),
        Feature(
            "provider state, of OpenAI",
            foreign(_NOTHING_FOREIGN)
            | {
                "openai_responses": absent("its own"),
                "anthropic": native(lambda x: _blocks(x) == ["tool_use"], "the other's is left out, silently"),
            },
            way=_two_steps("openai/gpt-5.1"),
        ),
        Feature(
            "thinking of Anthropic's in the history",
            foreign(_DROPPED) | {"anthropic": absent("its own")},
            messages=(
                user(text("go")),
                assistant({"type": "thinking", "thinking": "hm", "signature": "sig-of-claude"}, text("so")),
                user(text("on")),
            ),
            body={"thinking": THINKING},
        ),
        Feature(
            "redacted thinking of Anthropic's in the history",
            foreign(native(lambda x: x.heard.text == "ok", "left out, silently"))
            | {"anthropic": native(lambda x: _blocks(x) == ["redacted_thinking", "tool_use"], "byte for byte")},
            way=_two_steps("anthropic/claude-sonnet-5", [Thinking("I think", redacted=True), _STEP[1]]),
        ),
    ),
)
