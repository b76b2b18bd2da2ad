"""What a message may hold."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from ..asking import PNG, TOOLS, assistant, call, result, text, user
from .cells import Feature, Section, degraded, foreign, native, openai, refused, theirs

_PDF = b64encode(b"%PDF-1.4 tiny").decode()
_URL = "https://example.com/cat.png"
_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
_NOTE = "the moon is a stone"


def _document(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, "title": "Notes", **more}


def _user(block: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return (user(text("look"), block),)


def _results(block: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return (
        user(text("go")),
        assistant(call("toolu_1"), call("toolu_2")),
        user(result("toolu_1", [text("seen"), block]), result("toolu_2")),
    )


_TEXT_SOURCE = {"type": "text", "media_type": "text/plain", "data": _NOTE}
_FOUND = {"type": "search_result", "source": "https://moon.example", "title": "Moon", "content": [text(_NOTE)]}
_FILE = "names a file (`file_id`) that is kept at Anthropic"
_DATA_URL = f"data:image/png;base64,{PNG}"
_AS_TEXT = "as text, title and source above it"

SECTION = Section(
    "Content",
    (
        Feature(
            "image, base64",
            {
                "anthropic": native(lambda x: x.at("messages", 0, "content", 1) == _IMAGE),
                "gemini": native(lambda x: x.at("contents", 0, "parts", 1, "inlineData", "data") == PNG),
                **openai(
                    native(lambda x: x.at("messages", -1, "content", 1, "image_url", "url") == _DATA_URL),
                    native(lambda x: x.at("input", 0, "content", 1, "image_url") == _DATA_URL),
                ),
            },
            messages=_user(_IMAGE),
        ),
        Feature(
            "image by URL",
            {
                "anthropic": native(lambda x: x.at("messages", 0, "content", 1, "source", "url") == _URL),
                "gemini": native(lambda x: x.at("contents", 0, "parts", 1, "fileData", "fileUri") == _URL),
                **openai(
                    native(lambda x: x.at("messages", -1, "content", 1, "image_url", "url") == _URL),
                    native(lambda x: x.at("input", 0, "content", 1, "image_url") == _URL),
                ),
            },
            messages=_user({"type": "image", "source": {"type": "url", "url": _URL}}),
        ),
        Feature(
            "image by `file_id`",
            foreign(refused(_FILE)) | {"anthropic": native(lambda x: "file_1" in x.said)},
            messages=_user({"type": "image", "source": {"type": "file", "file_id": "file_1"}}),
            headers={"anthropic-beta": "files-api-2025-04-14"},
        ),
        Feature(
            "image in a tool's result",
            {
                "anthropic": native(lambda x: x.at("messages", 2, "content", 0, "content", 1) == _IMAGE),
                "gemini": degraded(
                    "behind the responses in the same turn, under a line that names the tool",
                    lambda x: (
                        [next(iter(part)) for part in x.at("contents", 2, "parts")]
                        == ["functionResponse", "functionResponse", "text", "inlineData"]
                    ),
                ),
                **openai(
                    degraded(
                        "in the user's turn that follows the results, under a line that names the call",
                        lambda x: (
                            [message["role"] for message in x.at("messages")][-3:] == ["tool", "tool", "user"]
                            and x.at("messages", -1, "content", 1, "image_url", "url") == _DATA_URL
                        ),
                    ),
                    native(lambda x: x.at("input", -2, "output", 1, "image_url") == _DATA_URL),
                ),
            },
            messages=_results(_IMAGE),
            body={"tools": TOOLS},
        ),
        Feature(
            "PDF, base64",
            {
                "anthropic": native(lambda x: x.at("messages", 0, "content", 1, "source", "data") == _PDF),
                "gemini": native(lambda x: x.at("contents", 0, "parts", -1, "inlineData", "data") == _PDF),
                **openai(
                    native(lambda x: x.at("messages", -1, "content", 1, "file", "filename") == "Notes.pdf"),
                    native(lambda x: x.at("input", 0, "content", 1, "filename") == "Notes.pdf"),
                ),
            },
            messages=_user(_document({"type": "base64", "media_type": "application/pdf", "data": _PDF})),
        ),
        Feature(
            "PDF by URL",
            {
                "anthropic": native(lambda x: x.at("messages", 0, "content", 1, "source", "url") == _URL),
                "gemini": native(lambda x: x.at("contents", 0, "parts", -1, "fileData", "fileUri") == _URL),
                **openai(
                    refused("A content block of type `document` with a URL cannot be sent to this model's provider"),
                    native(lambda x: x.at("input", 0, "content", 1, "file_url") == _URL),
                ),
            },
            messages=_user(_document({"type": "url", "url": _URL})),
        ),
        Feature(
            "PDF in a tool's result",
            {
                "anthropic": native(lambda x: x.at("messages", 2, "content", 0, "content", 1, "type") == "document"),
                "gemini": degraded(
                    "behind the responses in the same turn, under a line that names the tool",
                    lambda x: x.at("contents", 2, "parts", -1, "inlineData", "data") == _PDF,
                ),
                **openai(
                    degraded(
                        "in the user's turn that follows the results, under a line that names the call",
                        lambda x: x.at("messages", -1, "content", 1, "file", "filename") == "Notes.pdf",
                    ),
                    native(lambda x: x.at("input", -2, "output", 1, "filename") == "Notes.pdf"),
                ),
            },
            messages=_results(_document({"type": "base64", "media_type": "application/pdf", "data": _PDF})),
            body={"tools": TOOLS},
        ),
        Feature(
            "text document",
            foreign(degraded(_AS_TEXT, lambda x: f'[Document \\"Notes\\"]\\n{_NOTE}' in x.said))
            | {"anthropic": native(lambda x: x.at("messages", 0, "content", 1, "source", "data") == _NOTE)},
            messages=_user(_document(_TEXT_SOURCE)),
        ),
        Feature(
            "search result",
            foreign(
                degraded(_AS_TEXT, lambda x: f'[Search result \\"Moon\\", https://moon.example]\\n{_NOTE}' in x.said)
            )
            | {"anthropic": native(lambda x: x.at("messages", 0, "content", 1, "type") == "search_result")},
            messages=_user(_FOUND),
        ),
        Feature(
            "citations of a document",
            foreign(degraded("the document arrives, nothing is cited", lambda x: _NOTE in x.said and x.heard.text))
            | {"anthropic": native(lambda x: x.at("messages", 0, "content", 1, "citations", "enabled") is True)},
            messages=_user(_document(_TEXT_SOURCE, citations={"enabled": True})),
        ),
        Feature(
            "empty and white text",
            foreign(degraded("left out", lambda x: "hi" in x.said and '"  "' not in x.said and '""' not in x.said))
            | {"anthropic": theirs("text content blocks must be non-empty")},
            messages=(user(text(""), text("hi"), text("  ")),),
        ),
    ),
)
