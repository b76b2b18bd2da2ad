from __future__ import annotations

import pytest

from accounting.models import Limit
from routing.models import Provider
from tests.accounting.api.conftest import As
from tests.accounting.company import Company

pytestmark = pytest.mark.usefixtures("board")


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
