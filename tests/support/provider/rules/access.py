"""What every vendor asks before it looks at a request: a key, a JSON body, a model that exists."""

from __future__ import annotations

from collections.abc import Sequence

from ..dialect import Asked, Dialect, Refused
from ..record import Seen
from ..script import Fail

_NO_KEY = {
    "openai": "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
    "auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing "
    "the API from your browser and are prompted for a username and password. You can obtain an API key from "
    "https://platform.openai.com/account/api-keys.",
    "gemini": "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
    "other form of API consumer identity to call this API.",
    "anthropic": "x-api-key header is required",
}
_NOT_JSON = {
    "openai": "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
    "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have "
    "trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
    "gemini": "Invalid JSON payload received. Unexpected token.",
    "anthropic": "The request body is not valid JSON",
}


def _vendor(name: str) -> str:
    return "openai" if name.startswith("openai") else name


def _key(asked: Asked, vendor: str) -> str:
    """The key in the place where the vendor looks for it; empty if there is none."""
    bearer = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if vendor == "openai":
        return bearer
    if vendor == "gemini":
        return asked.headers.get("x-goog-api-key") or asked.query.get("key", "")
    return asked.headers.get("x-api-key") or bearer


def check_access(seen: Seen, dialect: Dialect, asked: Asked, api_key: str | None, known: Sequence[str] | None) -> None:
    """Raise :class:`Refused` as the vendor would for key, version header, body and model."""

    def refuse(fail: Fail) -> Refused:
        return Refused(dialect.fail(fail, asked.model))

    vendor = _vendor(dialect.name)
    key = _key(asked, vendor)
    if not key:
        status = 403 if vendor == "gemini" else None
        kind = Fail("permission" if vendor == "gemini" else "auth", status=status, message=_NO_KEY[vendor])
        raise refuse(kind)
    if api_key is not None and key != api_key:
        raise refuse(Fail("auth"))
    if vendor == "anthropic" and "anthropic-version" not in asked.headers:
        raise refuse(Fail("bad_request", message="anthropic-version: header is required"))
    if seen.purpose == "models":
        return
    if not isinstance(seen.body, dict):
        raise refuse(Fail("bad_request", message=_NOT_JSON[vendor]))
    if known is not None and asked.model not in known:
        raise refuse(Fail("model"))
