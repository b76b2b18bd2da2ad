"""Gemini's request messages as the proto-JSON parser sees them: every field, and what it may hold.

Source: ai.google.dev/api/generate-content, /api/caching (Schema, Tool, FunctionDeclaration) and
google/ai/generativelanguage/v1beta/*.proto in googleapis/googleapis; complaints as the live API words them. Both
``camelCase`` and ``snake_case`` names are legal on the wire; complaints use the latter.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any, Final

from ..dialect import Refused, Whole

_TYPES: Final = "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL"
_CATEGORIES: Final = (
    "HARM_CATEGORY_HARASSMENT HARM_CATEGORY_HATE_SPEECH HARM_CATEGORY_SEXUALLY_EXPLICIT "
    "HARM_CATEGORY_DANGEROUS_CONTENT HARM_CATEGORY_CIVIC_INTEGRITY"
)
ENUMS: Final[dict[str, frozenset[str]]] = {
    "Type": frozenset(_TYPES.split()),
    "FunctionCallingConfig.Mode": frozenset({"MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"}),
    "HarmCategory": frozenset(_CATEGORIES.split()),
    "SafetySetting.HarmBlockThreshold": frozenset(
        {"BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"}
    ),
    "ThinkingConfig.ThinkingLevel": frozenset({"THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH"}),
    "MediaResolution": frozenset({"MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"}),
    "ServiceTier": frozenset({"STANDARD", "FLEX", "PRIORITY", "UNSPECIFIED"}),
    "Outcome": frozenset({"OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"}),
    "Language": frozenset({"PYTHON", "LANGUAGE_UNSPECIFIED"}),
    "Behavior": frozenset({"BLOCKING", "NON_BLOCKING", "UNSPECIFIED"}),
}

MESSAGES: Final[dict[str, dict[str, str]]] = {
    "GenerateContentRequest": {
        "model": "string",
        "systemInstruction": "Content",
        "contents": "*Content",
        "tools": "*Tool",
        "toolConfig": "ToolConfig",
        "safetySettings": "*SafetySetting",
        "generationConfig": "GenerationConfig",
        "cachedContent": "string",
        "serviceTier": "enum ServiceTier",
        "store": "bool",
    },
    "CountTokensRequest": {
        "model": "string",
        "contents": "*Content",
        "generateContentRequest": "GenerateContentRequest",
    },
    "Content": {"role": "string", "parts": "*Part"},
    "Part": {
        "text": "string",
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": "ExecutableCode",
        "codeExecutionResult": "CodeExecutionResult",
        "thought": "bool",
        "thoughtSignature": "bytes",
        "partMetadata": "Struct",
        "videoMetadata": "Struct",
        "mediaResolution": "Struct",
    },
    "Blob": {"mimeType": "string", "data": "bytes", "displayName": "string"},
    "FileData": {"mimeType": "string", "fileUri": "string"},
    "FunctionCall": {"id": "string", "name": "string", "args": "Struct"},
    "FunctionResponse": {
        "id": "string",
        "name": "string",
        "response": "Struct",
        "parts": "*FunctionResponsePart",
        "willContinue": "bool",
        "scheduling": "string",
    },
    "FunctionResponsePart": {"inlineData": "Blob"},
    "ExecutableCode": {"id": "string", "language": "enum Language", "code": "string"},
    "CodeExecutionResult": {"id": "string", "outcome": "enum Outcome", "output": "string"},
    "Tool": {
        "functionDeclarations": "*FunctionDeclaration",
        "googleSearch": "GoogleSearch",
        "googleSearchRetrieval": "Struct",
        "codeExecution": "Struct",
        "urlContext": "Struct",
        "computerUse": "Struct",
        "fileSearch": "Struct",
        "googleMaps": "Struct",
        "mcpServers": "*Struct",
    },
    "GoogleSearch": {"timeRangeFilter": "Struct", "searchTypes": "Struct"},
    "FunctionDeclaration": {
        "name": "string",
        "description": "string",
        "behavior": "enum Behavior",
        "parameters": "Schema",
        "parametersJsonSchema": "Value",
        "response": "Schema",
        "responseJsonSchema": "Value",
    },
    "Schema": {
        "type": "enum Type",
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "enum": "*string",
        "maxItems": "int64",
        "minItems": "int64",
        "properties": "map Schema",
        "required": "*string",
        "minProperties": "int64",
        "maxProperties": "int64",
        "minLength": "int64",
        "maxLength": "int64",
        "pattern": "string",
        "example": "Value",
        "anyOf": "*Schema",
        "propertyOrdering": "*string",
        "default": "Value",
        "items": "Schema",
        "minimum": "double",
        "maximum": "double",
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": "Struct",
        "includeServerSideToolInvocations": "bool",
    },
    "FunctionCallingConfig": {"mode": "enum FunctionCallingConfig.Mode", "allowedFunctionNames": "*string"},
    "SafetySetting": {"category": "enum HarmCategory", "threshold": "enum SafetySetting.HarmBlockThreshold"},
    "GenerationConfig": {
        "stopSequences": "*string",
        "responseMimeType": "string",
        "responseSchema": "Schema",
        "responseJsonSchema": "Value",
        "responseModalities": "*string",
        "candidateCount": "int32",
        "maxOutputTokens": "int32",
        "temperature": "double",
        "topP": "double",
        "topK": "int32",
        "seed": "int32",
        "presencePenalty": "double",
        "frequencyPenalty": "double",
        "responseLogprobs": "bool",
        "logprobs": "int32",
        "enableEnhancedCivicAnswers": "bool",
        "speechConfig": "Struct",
        "thinkingConfig": "ThinkingConfig",
        "imageConfig": "Struct",
        "mediaResolution": "enum MediaResolution",
    },
    "ThinkingConfig": {
        "includeThoughts": "bool",
        "thinkingBudget": "int32",
        "thinkingLevel": "enum ThinkingConfig.ThinkingLevel",
    },
}
"""Fields by message. ``*T`` is repeated, ``map T`` a map from string, ``enum E`` one of :data:`ENUMS`."""

_SCALARS: Final = {
    "string": "TYPE_STRING",
    "bool": "TYPE_BOOL",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "double": "TYPE_DOUBLE",
    "bytes": "TYPE_BYTES",
}


def snake(name: str) -> str:
    """``functionCall`` as ``function_call``."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def invalid(message: str, violations: list[tuple[str, str]] | None = None) -> Refused:
    """Google's 400, to be raised."""
    error: dict[str, Any] = {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}
    if violations:
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": where, "description": text} for where, text in violations],
            }
        ]
    return Refused(Whole.json(400, {"error": error}))


@dataclass(slots=True)
class Parser:
    """Reads JSON as a message: collects every complaint, returns the fields under their camelCase names."""

    complaints: list[tuple[str, str]] = field(default_factory=list)

    def finish(self) -> None:
        """Raise all complaints at once, as the API does."""
        if self.complaints:
            raise invalid("\n".join(text for _, text in self.complaints), self.complaints)

    def message(self, kind: str, value: Any, path: str) -> dict[str, Any]:
        """A message; unknown names are complained of."""
        if not isinstance(value, dict):
            self._wrong(path, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{kind}", value)
            return {}
        fields = MESSAGES[kind]
        read: dict[str, Any] = {}
        for name, member in value.items():
            camel = _camel(name)
            if camel not in fields or name not in (camel, snake(camel)):
                self._unknown(name, path, "Cannot find field.")
            elif member is not None:
                where = f"{path}.{snake(camel)}" if path else snake(camel)
                read[camel] = self._field(fields[camel], member, where, name, path)
        return read

    def _field(self, spec: str, value: Any, where: str, name: str, holder: str) -> Any:
        if spec.startswith("*"):
            # Proto JSON takes a single value for a repeated field.
            members = value if isinstance(value, list) else [value]
            return [self._one(spec[1:], member, f"{where}[{at}]") for at, member in enumerate(members)]
        if isinstance(value, list) and spec != "Value":
            self._unknown(name, holder, "Proto field is not repeating, cannot start list.")
            return None
        if spec.startswith("map "):
            if not isinstance(value, dict):
                self._wrong(where, "Map", value)
                return {}
            entries = enumerate(value.items())
            return {key: self._one(spec[4:], member, f"{where}[{at}].value") for at, (key, member) in entries}
        return self._one(spec, value, where)

    def _one(self, spec: str, value: Any, where: str) -> Any:
        if spec == "Value":
            return value
        if spec == "Struct":
            if not isinstance(value, dict):
                self._wrong(where, "type.googleapis.com/google.protobuf.Struct", value)
                return {}
            return value
        if spec.startswith("enum "):
            return self._enum(spec[5:], value, where)
        if spec in _SCALARS:
            return self._scalar(spec, value, where)
        return self.message(spec, value, where)

    def _enum(self, kind: str, value: Any, where: str) -> str:
        word = str(value).upper()
        if word not in ENUMS[kind]:
            self._wrong(where, f"type.googleapis.com/google.ai.generativelanguage.v1beta.{kind}", value)
        return word

    def _scalar(self, spec: str, value: Any, where: str) -> Any:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        match spec:
            case "string":
                good = isinstance(value, str)
            case "bool":
                good = isinstance(value, bool)
            case "bytes":
                good = isinstance(value, str)
                if good and not _is_base64(value):
                    text = f"Invalid value at '{where}' (TYPE_BYTES), Base64 decoding failed for \"{value[:64]}\""
                    self.complaints.append((where, text))
            case "double":
                good = number
            case _:
                good = (number and value == int(value)) or (isinstance(value, str) and value.lstrip("-").isdigit())
        if not good:
            self._wrong(where, _SCALARS[spec], value)
        return value

    def _unknown(self, name: str, path: str, why: str) -> None:
        place = f" at '{path}'" if path else ""
        self.complaints.append((path, f'Invalid JSON payload received. Unknown name "{name}"{place}: {why}'))

    def _wrong(self, where: str, kind: str, value: Any) -> None:
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        self.complaints.append((where, f"Invalid value at '{where}' ({kind}), {shown}"))


def _is_base64(value: str) -> bool:
    """Standard or URL-safe, padded or not: what the parser takes."""
    text = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return False
    return True
