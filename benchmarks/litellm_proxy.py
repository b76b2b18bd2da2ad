"""LiteLLM's proxy for comparison, in a virtual environment of its own that is made when it is first wanted."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.support.gateway import ROOT

KEY: Final = "sk-benchmark"
_CONFIG: Final = """
model_list:
  - model_name: claude-opus-4-8
    litellm_params: {{model: openai/gpt-4o, api_base: "http://127.0.0.1:{port}/v1", api_key: sk-test}}
litellm_settings: {{use_chat_completions_url_for_anthropic_messages: true, drop_params: true}}
general_settings: {{master_key: {key}}}
"""


class NotInstalled(Exception):
    """LiteLLM's proxy could not be installed here: no package index, most likely."""


def folder() -> Path:
    """Where its environment is, or will be: ``LITELLM_PROXY_VENV``, else ``var/litellm-proxy``."""
    return Path(os.environ.get("LITELLM_PROXY_VENV", ROOT / "var" / "litellm-proxy"))


def installed_version() -> str:
    """The version that is compared with: the gateway's own LiteLLM."""
    return version("litellm")


def install() -> Path:
    """The proxy's command. Raises NotInstalled."""
    command = folder() / "bin" / "litellm"
    if not command.exists():
        print(f"installing litellm[proxy] into {folder()} ...", file=sys.stderr, flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder()], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(
                [folder() / "bin" / "pip", "install", "-q", f"litellm[proxy]=={installed_version()}"],
                check=True,
                timeout=900,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise NotInstalled("litellm[proxy] could not be installed") from error
    return command


def command(scratch: Path, provider_port: int) -> tuple[list[str], dict[str, str]]:
    """The command, but for host and port, and its environment. Raises NotInstalled."""
    executable = install()
    config = scratch / "litellm.yaml"
    config.write_text(_CONFIG.format(port=provider_port, key=KEY))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOG": "ERROR"}
    offline = {"LITELLM_OFFLINE_MODE": "true", "NO_DOCS": "True"}
    return [str(executable), "--config", str(config), "--num_workers", "1"], kept | quiet | offline
