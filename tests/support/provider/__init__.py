"""A provider that follows a script: four vendors' wire formats on one loopback port.

Speaks OpenAI chat completions and Responses, Gemini and Anthropic as the vendors do, refuses what they refuse, and
records what it was sent. See :class:`ScriptedProvider` for tests, ``python -m tests.support.provider`` for everything
else.
"""

from .brains import Brain, ToolTask, echo
from .dialect import Conversation
from .record import Seen
from .script import (
    Answer,
    Cut,
    ErrorEvent,
    Fail,
    Found,
    Garbage,
    Hang,
    Raw,
    Refusal,
    Reply,
    Text,
    Thinking,
    ToolCall,
    Usage,
    WebSearch,
    Wire,
)
from .seal import Seal
from .server import ScriptedProvider

__all__ = [
    "Answer",
    "Brain",
    "Conversation",
    "Cut",
    "ErrorEvent",
    "Fail",
    "Found",
    "Garbage",
    "Hang",
    "Raw",
    "Refusal",
    "Reply",
    "ScriptedProvider",
    "Seal",
    "Seen",
    "Text",
    "Thinking",
    "ToolCall",
    "ToolTask",
    "Usage",
    "WebSearch",
    "Wire",
    "echo",
]
