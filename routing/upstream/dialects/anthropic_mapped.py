"""What a request must say otherwise for another Claude model than the one that the client wrote it for.

Source: https://docs.anthropic.com/en/docs/build-with-claude/adaptive-thinking, .../extended-thinking, .../effort
"""

from __future__ import annotations

from typing import Final

from ..events import JSON
from ..parameters import EFFORTS, nearest
from ..target import Capabilities

_LEAST_BUDGET: Final = 1_024  # tokens; Anthropic takes no smaller one
# Budgets in tokens for the words of ``output_config.effort``; ``high`` is what adaptive thinking means by itself.
_BUDGETS: Final = {"low": 4_096, "medium": 10_240, "high": 16_384, "xhigh": 31_999, "max": 31_999}


def for_model(body: JSON, capabilities: Capabilities) -> JSON:
    """The fields of ``body`` to be replaced: an output limit, and thinking in the terms that the model takes.

    ``capabilities.reasoning`` is ``budget`` for older models, which know neither adaptive thinking nor effort, and
    ``adaptive`` for newer ones, of which some refuse a budget. Where it is neither, thinking stays as it is.
    """
    changed: JSON = {}
    most = body.get("max_tokens")
    if capabilities.max_output is not None and isinstance(most, int) and most > capabilities.max_output:
        most = changed["max_tokens"] = capabilities.max_output
    thinking = body.get("thinking")
    thinking = thinking if isinstance(thinking, dict) else {}
    config = body.get("output_config")
    config = config if isinstance(config, dict) else {}
    kind, budget = thinking.get("type"), thinking.get("budget_tokens")
    if capabilities.reasoning == "adaptive" and (effort := config.get("effort")) in EFFORTS:
        # "This model does not support effort level 'xhigh'. Supported levels: ..." (litellm#27168)
        known = effort if effort in capabilities.efforts else nearest(str(effort), capabilities.efforts)
        changed |= {"output_config": config | {"effort": known}} if known not in (effort, None) else {}
    if kind == "enabled" and capabilities.reasoning == "adaptive":
        rest = {key: value for key, value in thinking.items() if key != "budget_tokens"}
        return changed | {"thinking": rest | {"type": "adaptive"}}
    if capabilities.reasoning == "budget" and "effort" in config:
        changed["output_config"] = {key: value for key, value in config.items() if key != "effort"}
    if kind == "adaptive" and capabilities.reasoning == "budget":
        kind, budget = "enabled", _BUDGETS.get(str(config.get("effort")), _BUDGETS["high"])
        changed["thinking"] = thinking | {"type": kind, "budget_tokens": budget}
    if kind == "enabled" and isinstance(budget, int) and isinstance(most, int) and changed and budget >= most:
        fits = most > _LEAST_BUDGET
        changed["thinking"] = thinking | {"type": kind, "budget_tokens": most - 1} if fits else {"type": "disabled"}
    return changed
