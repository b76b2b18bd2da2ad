"""What becomes of each of Anthropic's features in each dialect: claims, proven over HTTP, that make a page of the docs.

``cells`` says what a claim is, the other modules make them, ``tests/e2e/test_matrix`` proves them, and
``python -m tests.e2e.matrix`` writes them down as ``docs/translation.md``.
"""

from __future__ import annotations

from . import answers, content, conversation, parameters, tools
from .cells import Section

SECTIONS: tuple[Section, ...] = (
    content.SECTION,
    conversation.SECTION,
    tools.SECTION,
    parameters.SECTION,
    answers.SECTION,
)
