"""What answers when the script is empty: an echo, or a small task for a real agent client."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .dialect import Conversation
from .script import Answer, Part, Reply, Text, Thinking, ToolCall, Usage

Brain: TypeAlias = Callable[[Conversation], Answer]

_PATH = re.compile(r"^/\S+$", re.MULTILINE)


def echo(conversation: Conversation) -> Reply:
    """Say what was heard: the model's name, the last tool result or the last user text."""
    heard = conversation.results[-1] if conversation.results else conversation.last_user_text
    return Reply([Text(f"{conversation.model} heard: {heard[:400]}")])


@dataclass(frozen=True, slots=True)
class ToolTask:
    """Bash, then Write, then Read, then a closing text: one step a tool result, no state kept.

    The file is written where the first command's ``pwd`` says the client works. ``parallel`` puts the command and a
    second one into one turn; ``thinking`` puts reasoning before every step; ``pace`` is seconds between deltas. A
    request that declares none of the three tools (a title, a summary) is echoed.
    """

    file: str = "tollgate-task.txt"
    content: str = "written by the scripted provider: grüße, 世界, 🚀\n"
    parallel: bool = False
    thinking: bool = False
    pace: float = 0.0

    def __call__(self, conversation: Conversation) -> Reply:
        """The next step."""
        if not {"Bash", "Write", "Read"} <= set(conversation.tools):
            return echo(conversation)
        parts: list[Part] = [Thinking(f"Step {len(conversation.results) + 1}.")] if self.thinking else []
        parts += self._step(conversation)
        reasoning = 8 if self.thinking else 0
        usage = Usage(input=1_000 + 100 * len(conversation.results), output=40 + reasoning, reasoning=reasoning)
        return Reply(parts, usage=usage, pace=self.pace)

    def _step(self, conversation: Conversation) -> list[Part]:
        path = self._path(conversation)
        first = 2 if self.parallel else 1
        done = len(conversation.results)
        if done < first:
            calls = [ToolCall("Bash", {"command": "pwd", "description": "Where am I"})]
            if self.parallel:
                calls.append(ToolCall("Bash", {"command": "echo second", "description": "Speak"}))
            return [Text("I will look where I am."), *calls[done:]]
        match done - first:
            case 0:
                return [Text("Now the file."), ToolCall("Write", {"file_path": path, "content": self.content})]
            case 1:
                return [ToolCall("Read", {"file_path": path})]
            case _:
                return [Text(f"Done. The file is at {path}.")]

    def _path(self, conversation: Conversation) -> str:
        """The task's file beside the first absolute path among the results; results may come in any order."""
        for result in conversation.results:
            if (found := _PATH.search(result)) is not None:
                return f"{found[0].rstrip('/')}/{self.file}"
        return f"/tmp/{self.file}"
