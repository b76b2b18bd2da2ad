from __future__ import annotations

import pytest
from django.test import Client

from tests.accounting.company import Company

from .conftest import Browser


@pytest.mark.parametrize(
    ("who", "whose"),
    [("bob", "your requests."), ("ada", "your requests, and those of red."), ("root", "everybody&#x27;s requests.")],
)
def test_it_says_whose_requests_are_shown(company: Company, browse: Browser, who: str, whose: str) -> None:
    page = browse(company[who]).get("/live/").content.decode()
    assert whose in page
    assert 'data-live="/ws/live/"' in page


def test_strangers_are_asked_to_sign_in(db: None) -> None:
    assert Client().get("/live/").headers["Location"] == "/accounts/login/?next=/live/"
