from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounting.models import Generation, Limit
from routing.models import Credential, Override, Provider, Revision, Tier
from routing.table import load
from tests.accounting.company import Company, found_company


@pytest.fixture
def company(db: None) -> Company:
    return found_company()


@pytest.fixture
def as_(company: Company) -> Callable[[str], APIClient]:
    def client(who: str) -> APIClient:
        made = APIClient()
        made.credentials(HTTP_X_API_KEY=company.tokens[who])
        return made

    return client


@pytest.fixture
def board(company: Company) -> None:
    openai = Provider.objects.create(name="openai", dialect="openai_chat", base_url="http://127.0.0.1:1/v1")
    Provider.objects.create(name="gemini", dialect="gemini", base_url="http://127.0.0.1:2")
    big = Tier.objects.create(name="BIG", provider=openai, model="gpt-4o")
    big.patterns.create(pattern="*sonnet*")
    Override.objects.create(team=company.red, tier=big, provider=openai, model="gpt-4.1")
    Override.objects.create(team=company.blue, tier=big, provider=openai, model="gpt-4o-mini")


As = Callable[[str], APIClient]
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


def test_the_mapping_is_read_changed_previewed_and_rolled_back(as_: As) -> None:
    root = as_("root")
    now = root.get("/api/mapping").json()
    now["tiers"]["BIG"] = {"provider": "openai", "model": "gpt-5", "position": 0}
    generation = Generation.read()
    preview = root.put("/api/mapping", now | {"reason": "try", "preview": True}).json()
    everyone = {"whom": "Everyone", "name": "*sonnet*", "before": "openai/gpt-4o", "after": "openai/gpt-5"}
    assert preview["changes"] == [everyone]  # both teams have overrides of their own
    assert (Tier.objects.get().model, Generation.read()) == ("gpt-4o", generation)
    changed = root.put("/api/mapping", now | {"reason": "better"})
    assert changed.status_code == 200
    assert changed.json()["tiers"]["BIG"]["model"] == "gpt-5"
    assert Tier.objects.get().model == "gpt-5"
    assert Generation.read() > generation
    (revision,) = root.get("/api/mapping/revisions").json()["results"]
    assert (revision["actor"], revision["reason"]) == ("root", "better")
    assert revision["diff"] == ["BIG: openai/gpt-4o ⇒ openai/gpt-5"]
    now["tiers"]["BIG"]["model"] = "gpt-4o"
    root.put("/api/mapping", now | {"reason": "worse"})
    back = root.post(f"/api/mapping/revisions/{revision['id']}/rollback", {"reason": "better after all"})
    assert (back.status_code, back.json()["reason"]) == (200, "better after all")
    assert Tier.objects.get().model == "gpt-5"
    assert Revision.objects.count() == 3


@pytest.mark.parametrize(
    "change",
    [
        {"patterns": [{"pattern": "x*", "tier": "HUGE"}]},
        {"patterns": [{"pattern": "x*", "tier": "BIG"}, {"pattern": "x*", "tier": "BIG"}]},
        {"tiers": {"BIG": {"provider": "nobody", "model": "m"}}},
        {"tiers": {"": {"provider": "openai", "model": "m"}}},
        {"overrides": [{"tier": "BIG", "provider": "openai"}]},
        {"overrides": [{"user": "bob", "tier": "BIG", "pattern": "x", "provider": "openai"}]},
        {"overrides": [{"user": "nobody", "tier": "BIG", "provider": "openai"}]},
        {"reason": ""},
    ],
)
def test_a_mapping_that_makes_no_sense(as_: As, change: dict[str, Any]) -> None:
    now = as_("root").get("/api/mapping").json()
    answer = as_("root").put("/api/mapping", now | {"reason": "why not"} | change)
    assert answer.status_code == 400
    assert as_("root").get("/api/mapping").json() == now


def test_people_see_the_overrides_that_are_theirs(as_: As) -> None:
    assert [row["team"] for row in as_("bob").get("/api/mapping").json()["overrides"]] == ["red"]
    assert len(as_("root").get("/api/mapping").json()["overrides"]) == 2


def test_explain(company: Company, as_: As) -> None:
    Limit.objects.create(scope="gateway", kind="concurrent_requests", count=5)
    limit = Limit.objects.create(scope="team", team=company.red, kind="budget", period="day", amount=5)
    Provider.objects.get(name="openai").credentials.create(sealed="")
    found = as_("bob").get("/api/explain", {"model": "claude-sonnet-4-5"}).json()
    assert found["target"] == {"provider": "openai", "model": "gpt-4.1", "dialect": "openai_chat"}
    assert (found["tier"], len(found["reasons"]), found["error"]) == ("BIG", 2, None)
    assert [(row["id"], row["fill"]["left"]) for row in found["limits"]] == [(limit.pk, "5")]
    carl = as_("root").get("/api/explain", {"model": "claude-sonnet-4-5", "user": "carl"}).json()
    assert carl["target"]["model"] == "gpt-4o-mini"
    assert as_("ada").get("/api/explain", {"model": "x", "user": "carl"}).status_code == 400
    assert as_("red-service").get("/api/explain", {"model": "claude-sonnet-4-5"}).json()["target"]["model"] == "gpt-4.1"


def test_what_leads_nowhere_says_why(as_: As) -> None:
    found = as_("bob").get("/api/explain", {"model": "nonsense"}).json()
    assert (found["target"], found["error"]) == (None, "model: nonsense")
