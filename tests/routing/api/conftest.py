from __future__ import annotations

import pytest

from routing.models import Override, Provider, Tier
from tests.accounting.api.conftest import as_
from tests.accounting.company import Company
from tests.accounting.conftest import company

__all__ = ["as_", "company"]


@pytest.fixture
def board(company: Company) -> None:
    openai = Provider.objects.create(name="openai", dialect="openai_chat", base_url="http://127.0.0.1:1/v1")
    Provider.objects.create(name="gemini", dialect="gemini", base_url="http://127.0.0.1:2")
    big = Tier.objects.create(name="BIG", provider=openai, model="gpt-4o")
    big.patterns.create(pattern="*sonnet*")
    Override.objects.create(team=company.red, tier=big, provider=openai, model="gpt-4.1")
    Override.objects.create(team=company.blue, tier=big, provider=openai, model="gpt-4o-mini")
