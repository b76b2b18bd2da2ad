"""Databases as a first start leaves them, for tests of what follows."""

from __future__ import annotations

from routing import environment, first_start, table

ALL_KEYS = {"OPENAI_API_KEY": "sk-openai-0123456789", "GEMINI_API_KEY": "gm-0123456789abcdef", "ANTHROPIC_API_KEY": "a"}


def set_up(**variables: str) -> table.RoutingTable:
    """The first start with these variables, and the table it leads to."""
    first_start.fill(environment.read(variables))
    return table.load()
