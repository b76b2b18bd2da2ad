"""The lines to paste, for each client, with a gateway's address and a key in them.

Sources: Claude Code's settings and VS Code pages (https://code.claude.com/docs/en/settings,
https://code.claude.com/docs/en/vs-code); the official SDKs' ``base_url`` and ``auth_token``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static

PLACEHOLDER: Final = "YOUR_KEY"
MODEL: Final = "claude-sonnet-4-5"


@dataclass(frozen=True, slots=True)
class Snippet:
    """``name`` is an id, ``title`` the tab's, ``where`` says where ``text`` goes, ``after`` what to do then."""

    name: str
    title: str
    where: str
    text: str
    after: str = ""


def base_url(request: HttpRequest) -> str:
    """Where clients reach this gateway: PUBLIC_URL, else where this person just reached it. No slash at its end."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


def snippets(url: str, token: str = PLACEHOLDER) -> list[Snippet]:
    """One for each way in. ``token`` is of letters, digits and underscores: it needs no quoting anywhere."""
    variables = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": token,
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
    }
    vscode = [{"name": name, "value": value} for name, value in variables.items()]
    exports = "\n".join(f"export {name}={value}" for name, value in variables.items())
    powershell = "\n".join(f'$env:{name} = "{value}"' for name, value in variables.items())
    return [
        Snippet(
            "shell",
            "macOS, Linux",
            "In a terminal",
            f"{exports}\nclaude",
            "To keep it, put the export lines into ~/.zshrc or ~/.bashrc.",
        ),
        Snippet(
            "powershell",
            "Windows",
            "In PowerShell",
            f"{powershell}\nclaude",
            "To keep it, put the $env: lines into the file that $PROFILE names.",
        ),
        Snippet(
            "settings",
            "settings.json",
            "In ~/.claude/settings.json",
            json.dumps({"env": variables}, indent=2),
            "Holds in every terminal and in the VS Code extension. If the file has an env already, add these to it.",
        ),
        Snippet(
            "vscode",
            "VS Code",
            "In VS Code's settings.json",
            json.dumps({"claudeCode.environmentVariables": vscode, "claudeCode.disableLoginPrompt": True}, indent=2),
            "Command palette: Preferences: Open User Settings (JSON). Reload the window afterwards.",
        ),
        _statusline(url),
        Snippet("python", "Python", "With pip install anthropic", _python(url, token)),
        Snippet("typescript", "TypeScript", "With npm install @anthropic-ai/sdk", _typescript(url, token)),
        Snippet("curl", "curl", "In a terminal", _curl(url, token)),
    ]


def _statusline(url: str) -> Snippet:
    return Snippet(
        "statusline",
        "Status line",
        "In a terminal, once",
        f"curl -o ~/.claude/tollgate-statusline.sh {url}{static('accounting/statusline.sh')}",
        'Then, in ~/.claude/settings.json: "statusLine": {"type": "command", '
        '"command": "sh ~/.claude/tollgate-statusline.sh"}. It shows what you have spent and what is left.',
    )


def _python(url: str, token: str) -> str:
    return f"""\
from anthropic import Anthropic

client = Anthropic(base_url="{url}", auth_token="{token}")
message = client.messages.create(
    model="{MODEL}",
    max_tokens=256,
    messages=[{{"role": "user", "content": "Say hello."}}],
)
print(message.content[0].text)"""


def _typescript(url: str, token: str) -> str:
    return f"""\
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({{ baseURL: "{url}", authToken: "{token}" }});
const message = await client.messages.create({{
  model: "{MODEL}",
  max_tokens: 256,
  messages: [{{ role: "user", content: "Say hello." }}],
}});
console.log(message.content);"""


def _curl(url: str, token: str) -> str:
    return f"""\
curl {url}/v1/messages \\
  -H "x-api-key: {token}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "content-type: application/json" \\
  -d '{{"model": "{MODEL}", "max_tokens": 256,
       "messages": [{{"role": "user", "content": "Say hello."}}]}}'"""
