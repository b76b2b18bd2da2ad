"""A hook for a scripted provider: a model that passes every conformance check."""

from __future__ import annotations

from .record import Seen
from .script import Answer, Part, Reply, Text, Thinking, ToolCall


def obliging(seen: Seen) -> Answer:
    """A model that does all that the checks ask for, knowing each by its words."""
    said = seen.raw.decode()
    parts: list[Part] = [Text("ready")]
    if "17 times 23" in said:
        parts = [Thinking("17 by 23"), Text("400" if "plus 9" in said else "391")]
    elif "five hundred" in said:
        return Reply([Text("One, two, three")], stop="length")
    elif "ORCHID" in said:
        parts = [Text("ORCHID")]
    elif "Marmalade" in said:
        parts = [Text("Marmalade.")]
    elif "degrees" in said:
        parts = [Text("It has 17 degrees.")]
    elif "Tokyo" in said:
        parts = [ToolCall("get_weather", {"city": "Paris"}), ToolCall("get_weather", {"city": "Tokyo"})]
    elif "weather in Paris" in said:
        parts = [ToolCall("get_weather", {"city": "Paris"})]
    return Reply(parts)
