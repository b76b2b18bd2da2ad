from __future__ import annotations

from typing import Any

import pytest

from accounting.models import Generation
from routing.models import Revision, Tier
from tests.accounting.api.conftest import As

pytestmark = pytest.mark.usefixtures("board")


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
