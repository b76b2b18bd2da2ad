from __future__ import annotations

import inspect
from typing import Any

import pytest

from routing.upstream import errors
from routing.upstream.errors import ContextOverflow, UpstreamError, Verbatim


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tokens": 210_000, "maximum": 200_000}, "prompt is too long: 210000 tokens > 200000 maximum"),
        (
            {"tokens": 150_000, "maximum": 200_000, "max_tokens": 64_000},
            "input length and `max_tokens` exceed context limit: 150000 + 64000 > 200000, "
            "decrease input length or `max_tokens` and try again",
        ),
        (
            {"tokens": 210_000, "maximum": 200_000, "max_tokens": 64_000},
            "prompt is too long: 210000 tokens > 200000 maximum",
        ),
        # Whatever the provider left unsaid, the sentence holds: more tokens than the maximum.
        ({"tokens": None, "maximum": 200_000}, "prompt is too long: 200001 tokens > 200000 maximum"),
        ({"tokens": 210_000, "maximum": None}, "prompt is too long: 210000 tokens > 209999 maximum"),
        ({"tokens": 1_000, "maximum": 200_000}, "prompt is too long: 200001 tokens > 200000 maximum"),
        ({"tokens": None, "maximum": None}, "prompt is too long: 1 tokens > 0 maximum"),
    ],
)
def test_overflow_has_the_wording_that_clients_act_on(fields: dict[str, Any], message: str) -> None:
    assert ContextOverflow(**fields).message == message


def test_every_error_is_in_the_drawn_tree() -> None:
    drawn = (errors.__doc__ or "").replace("├── ", "").replace("└── ", "").replace("│", "")
    names = {line.split()[0] for line in drawn.splitlines() if line.startswith("    ") and line.strip()}
    kinds = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, UpstreamError)}
    assert kinds == names


def test_verbatim_keeps_what_anthropic_said() -> None:
    error = Verbatim("refused", status=529, headers={"request-id": "req_1"}, body=b"{}")
    assert (error.status, error.provider_status, error.headers, error.body) == (
        529,
        529,
        {"request-id": "req_1"},
        b"{}",
    )
