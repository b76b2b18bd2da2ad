from __future__ import annotations

import pytest

from .company import Company, found_company


@pytest.fixture
def company(db: None) -> Company:
    return found_company()
