"""A small OpenID Connect provider on loopback: one person, who signs in without being asked.

Source: https://openid.net/specs/openid-connect-core-1_0.html (authorization code flow), discovery-1_0.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

_KEY = "a-signing-key-of-an-identity-provider"


class IdentityProvider:
    """``claims`` are those of the person: ``sub``, ``email``, groups, ...; they may be changed between sign-ins."""

    def __init__(self, **claims: Any) -> None:
        self.claims = claims
        self.tokens_asked: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _answer(self, path: str, query: dict[str, str]) -> dict[str, Any] | str:
        """JSON, or where to redirect to."""
        match path:
            case "/.well-known/openid-configuration":
                return {
                    "issuer": self.issuer,
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                    **{f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token", "userinfo")},
                    "jwks_uri": f"{self.issuer}/keys",
                }
            case "/authorization":
                return f"{query['redirect_uri']}?{urlencode({'code': 'a-code', 'state': query['state']})}"
            case "/token":
                self.tokens_asked.append(query)
                now = int(time.time())
                said = self.claims | {"iss": self.issuer, "aud": query["client_id"], "iat": now, "exp": now + 300}
                return {"access_token": "at", "token_type": "Bearer", "id_token": jwt.encode(said, _KEY, "HS256")}
            case "/userinfo":
                return self.claims
        raise LookupError(path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self._reply(self.rfile.read(int(self.headers["content-length"])).decode())

            def _reply(self, query: str) -> None:
                given = answer(urlsplit(self.path).path, {name: one[0] for name, one in parse_qs(query).items()})
                if isinstance(given, str):
                    self.send_response(302)
                    self.send_header("location", given)
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                body = json.dumps(given).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        return Handler
