from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from accounting.reports import Period, Selection, Viewer
from tests.accounting.company import DAY, Company, days_before


@pytest.fixture
def everything(company: Company) -> Selection:
    """What the admin sees of the week that ends with DAY."""
    return Selection(Viewer.of_user(company["root"]), Period(days_before(6), DAY, ZoneInfo("UTC")))
