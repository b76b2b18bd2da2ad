from __future__ import annotations

import pytest

from routing.upstream.dialects.anthropic_mapped import for_model
from routing.upstream.events import JSON
from routing.upstream.target import Capabilities, Reasoning

ADAPTIVE = {"type": "adaptive"}
JSON_FORMAT = {"format": {"type": "json_schema", "schema": {}}}


def _budget(tokens: int) -> JSON:
    return {"type": "enabled", "budget_tokens": tokens}


@pytest.mark.parametrize(
    ("reasoning", "body", "changed"),
    [
        # The output limit, and a budget below it.
        ("none", {"max_tokens": 64_000}, {"max_tokens": 8_192}),
        ("none", {"max_tokens": 8_192}, {}),
        ("budget", {"max_tokens": 64_000, "thinking": _budget(4_000)}, {"max_tokens": 8_192}),
        (
            "budget",
            {"max_tokens": 64_000, "thinking": _budget(31_999)},
            {"max_tokens": 8_192, "thinking": _budget(8_191)},
        ),
        # What the client itself got wrong stays for Anthropic to judge.
        ("budget", {"max_tokens": 100, "thinking": _budget(200)}, {}),
        # An older model: adaptive thinking becomes a budget, effort its size.
        ("budget", {"max_tokens": 8_192, "thinking": ADAPTIVE}, {"thinking": _budget(8_191)}),
        (
            "budget",
            {"max_tokens": 8_192, "thinking": ADAPTIVE, "output_config": {"effort": "low"} | JSON_FORMAT},
            {"thinking": _budget(4_096), "output_config": JSON_FORMAT},
        ),
        ("budget", {"max_tokens": 1_000, "thinking": ADAPTIVE}, {"thinking": {"type": "disabled"}}),
        ("budget", {"max_tokens": 8_192, "thinking": {"type": "disabled"}}, {}),
        # A newer model: a budget becomes adaptive thinking.
        (
            "adaptive",
            {"max_tokens": 64_000, "thinking": _budget(31_999) | {"display": "omitted"}},
            {"max_tokens": 8_192, "thinking": ADAPTIVE | {"display": "omitted"}},
        ),
        ("adaptive", {"max_tokens": 8_192, "thinking": ADAPTIVE, "output_config": {"effort": "medium"}}, {}),
        # ... and an effort that it does not know the next lesser one.
        (
            "adaptive",
            {"max_tokens": 8_192, "thinking": ADAPTIVE, "output_config": {"effort": "xhigh"} | JSON_FORMAT},
            {"output_config": {"effort": "high"} | JSON_FORMAT},
        ),
        (
            "adaptive",
            {"max_tokens": 8_192, "thinking": _budget(4_000), "output_config": {"effort": "max"}},
            {"thinking": ADAPTIVE, "output_config": {"effort": "high"}},
        ),
        ("adaptive", {"max_tokens": 8_192, "output_config": {"effort": "of_tomorrow"}}, {}),
        # Not known in which terms it thinks.
        ("none", {"max_tokens": 8_192, "thinking": ADAPTIVE, "output_config": {"effort": "max"}}, {}),
        ("none", {"max_tokens": 8_192, "thinking": "all day", "output_config": 7}, {}),
    ],
)
def test_for_model(reasoning: Reasoning, body: JSON, changed: JSON) -> None:
    assert for_model(body, Capabilities(max_output=8_192, reasoning=reasoning)) == changed


def test_an_unknown_limit_limits_nothing() -> None:
    assert for_model({"max_tokens": 999_999}, Capabilities()) == {}
