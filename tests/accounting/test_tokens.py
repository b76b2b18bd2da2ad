"""What is read of a usage object, which comes from a provider as it is."""

from __future__ import annotations

from typing import Any

import pytest

from accounting.tokens import Tokens


def test_later_figures_win_and_what_is_not_named_stays() -> None:
    tokens = Tokens()
    tokens.read({"input_tokens": 10, "cache_creation_input_tokens": 7, "output_tokens": 1})
    tokens.read({"output_tokens": 5, "cache_creation": {"ephemeral_1h_input_tokens": 3}})
    assert tokens == Tokens(input=10, output=5, cache_write_5m=4, cache_write_1h=3)


@pytest.mark.parametrize("figure", [None, True, -1, 1.5, "7", 2**31, 2**64 - 1, [], {}])
def test_what_is_no_count_is_not_read(figure: Any) -> None:
    tokens = Tokens(input=3, output=2)
    tokens.read({"input_tokens": figure, "output_tokens": figure, "cache_creation": figure, "server_tool_use": figure})
    assert tokens == Tokens(input=3, output=2)
