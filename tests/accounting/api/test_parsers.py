from __future__ import annotations

import pytest

from tests.accounting.company import Company

from .conftest import As


@pytest.mark.parametrize("body", ["[" * 100_000, '{"name":' * 50_000], ids=["lists", "objects"])
def test_a_body_nested_beyond_reason_is_refused(company: Company, as_: As, body: str) -> None:
    answer = as_("bob").post("/api/keys", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "The body is nested too deeply."
