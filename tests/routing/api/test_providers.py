from __future__ import annotations

from typing import Any

import pytest

from routing.models import Credential
from routing.table import load
from tests.accounting.api.conftest import As

pytestmark = pytest.mark.usefixtures("board")


def test_a_providers_key_goes_in_and_never_comes_out(as_: As) -> None:
    secret = "sk-proj-0123456789abcdef-wxyz"
    made = as_("root").post("/api/providers", {"name": "acme", "dialect": "openai_chat", "api_key": secret})
    assert (made.status_code, made.json()["credential"]) == (201, "…wxyz")
    for path in ("/api/providers", "/api/providers/acme"):
        assert secret not in as_("root").get(path).content.decode()
    assert load().hosts["acme"].api_key == secret
    assert secret not in Credential.objects.get(provider__name="acme").sealed
    changed = as_("root").patch("/api/providers/acme", {"api_key": "sk-proj-another-0123-abcd"}).json()
    assert changed["credential"] == "…abcd"


def test_a_known_host_is_spoken_to_as_it_wants(as_: As) -> None:
    wanted = {"name": "acme", "dialect": "openai_chat", "base_url": "https://api.openai.com/v1"}
    made = as_("root").post("/api/providers", wanted).json()
    assert (made["reasoning_dialect"], made["price_family"], made["quirks"]) == ("openai_responses", "openai", {})
    assert load().hosts["acme"].quirks.max_tools == 128


def test_people_know_providers_by_name_alone(as_: As) -> None:
    (first, _) = as_("bob").get("/api/providers").json()["results"]
    assert set(first) == {"name", "dialect", "enabled"}


def test_a_provider_in_use_stays(as_: As) -> None:
    assert as_("root").delete("/api/providers/openai").status_code == 409
    assert as_("root").delete("/api/providers/gemini").status_code == 204


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": "a b", "dialect": "openai_chat"}, "name"),
        ({"name": "openai", "dialect": "openai_chat"}, "name"),
        ({"name": "x", "dialect": "latin"}, "dialect"),
        ({"name": "x", "dialect": "openai_chat", "base_url": "nowhere"}, "base_url"),
        ({"name": "x", "dialect": "openai_chat", "quirks": {"nonsense": 1}}, "quirks"),
    ],
)
def test_a_provider_that_makes_no_sense(as_: As, wanted: dict[str, Any], field: str) -> None:
    answer = as_("root").post("/api/providers", wanted)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
