"""What models cost and can do: LiteLLM's offline model list, read as data without importing LiteLLM.

Importing LiteLLM takes seconds and 160 MB; its list is one JSON file inside the installed package. A supplement beside
this module adds models that the list has dropped and that people's mappings still name. Field names, and prices in
US dollars per token, are LiteLLM's own:
https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import orjson

_FILE = "model_prices_and_context_window_backup.json"
_SUPPLEMENT = Path(__file__).with_name("retired_models.json")
_SNAPSHOT = re.compile(r"^(?P<base>.+?)[-@](?P<date>\d{4}-\d{2}-\d{2}|\d{8})$")
_PRICE: Final = re.compile(r"cost|pricing")


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as listed: ``name`` is the entry's own key, ``data`` its fields as LiteLLM names them."""

    name: str
    data: Mapping[str, Any]


@lru_cache(maxsize=1)
def entries() -> Mapping[str, Mapping[str, Any]]:
    """Every listed model, by LiteLLM's key for it. Raises FileNotFoundError where LiteLLM is not installed."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("litellm is not installed: its model list is where prices come from")
    listed: dict[str, Mapping[str, Any]] = orjson.loads((Path(spec.origin).parent / _FILE).read_bytes())
    listed.pop("sample_spec", None)
    retired: dict[str, dict[str, Any]] = orjson.loads(_SUPPLEMENT.read_bytes())["models"]
    for name, data in retired.items():
        listed.setdefault(name, {**listed.get(data.get("as", ""), {}), **data})
    return listed


@lru_cache(maxsize=1)
def source() -> str:
    """Which list the figures come from, for the record."""
    return f"litellm {version('litellm')}"


@lru_cache(maxsize=4096)
def find(family: str, model: str) -> Listed | None:
    """What ``model`` is, as served by ``family`` (LiteLLM's name of a provider); None where that is not certain.

    Tried in turn: ``family/model``; the bare name, where the list says that this family serves it; for a dated
    snapshot (``-2025-01-31``, ``-20250131``) the name without its date, if every listed snapshot of that name costs
    the same: gpt-4o's first snapshot shows that they need not.
    """
    if not family or not model:
        return None
    exact = _exact(family, model)
    if exact is not None:
        return exact
    dated = _SNAPSHOT.match(model)
    if dated is None:
        return None
    base = _exact(family, dated["base"])
    if base is None or any(_prices(entries()[name]) != _prices(base.data) for name in _snapshots(base.name)):
        return None
    return base


def _exact(family: str, model: str) -> Listed | None:
    for name in (f"{family}/{model}", model):
        data = entries().get(name)
        if data is not None and _serves(family, str(data.get("litellm_provider", ""))):
            return Listed(name, data)
    return None


def _serves(family: str, provider: str) -> bool:
    """LiteLLM files some families under several providers: vertex_ai-language-models, bedrock_converse."""
    return provider == family or provider.startswith((f"{family}-", f"{family}_"))


def _snapshots(base: str) -> list[str]:
    return [name for name in entries() if (dated := _SNAPSHOT.match(name)) is not None and dated["base"] == base]


def _prices(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if _PRICE.search(name)}
