"""The claims as a page of the docs."""

from __future__ import annotations

from pathlib import Path

from . import SECTIONS
from .cells import DIALECTS, Cell, Feature

PATH = Path(__file__).parents[3] / "docs" / "translation.md"
_HEAD = """# What becomes of a request in each dialect

<!-- Written by `make docs` from tests/e2e/matrix; each cell is proven by tests/e2e/test_matrix.py. -->

Each cell was proven over HTTP, streamed and not, against a provider that refuses what the real one refuses:

- **native**: the provider has the same thing, and gets it or gives it;
- **degraded**: it arrives otherwise, as said;
- **refused**: a 400 that says so, before anything is sent or paid;
- **—**: there is nothing to translate.

Where the two modes differ, the cell says which is which. `anthropic` is passed through: the provider gets the
client's own bytes, so a row only shows that nothing is lost. The models are `{models}`;
what another model can do is data (the admin's *Providers*), not code.
"""

_TAIL = """
## Stop sequences and their cost

An Anthropic client reads which sequence ended an answer, and may run something because of it. Chat completions,
Responses and Gemini do not say, and some hosts stop at a sequence inside a call's arguments. So a provider is not told
of them: the text is cut here, where Anthropic would stop, never in thinking or arguments, and the provider is asked to
stream even where the client did not. After a cut it has one second to end by itself, which gives its own figures; then
it is hung up on, and the ledger's row is an estimate, marked as one, that counts the unseen rest too.

A host that names the sequence (vLLM, SGLang) may be sent them: set the quirk `stop_sequences` on the provider's row.
It then stops by itself, with exact figures, as far as its own rules go (the first 4; vLLM stops in thinking too). On a
host that does not name them the same quirk buys exact figures with `end_turn` in place of `stop_sequence`.
"""


def page() -> str:
    parts = [_HEAD.format(models="`, `".join(_models()))]
    for section in SECTIONS:
        parts.append(f"\n## {section.title}\n")
        parts.append("| | " + " | ".join(DIALECTS) + " |")
        parts.append("|---" * (len(DIALECTS) + 1) + "|")
        parts += [_row(feature) for feature in section.features]
    return "\n".join(parts) + "\n" + _TAIL


def _models() -> list[str]:
    from ..asking import MODELS

    return list(MODELS.values())


def _row(feature: Feature) -> str:
    return " | ".join([f"| {feature.name}", *(_cell(feature, dialect) for dialect in DIALECTS)]) + " |"


def _cell(feature: Feature, dialect: str) -> str:
    streamed, plain = feature.cell(dialect, stream=True), feature.cell(dialect, stream=False)
    if streamed == plain:
        return _told(streamed)
    return f"streamed {_told(streamed)}; plain {_told(plain)}"


def _told(cell: Cell) -> str:
    return str(cell).replace("|", "\\|")
