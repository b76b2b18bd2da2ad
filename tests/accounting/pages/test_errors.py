from __future__ import annotations

from unittest import mock

from django.test import RequestFactory

from accounting.models import User
from accounting.pages import errors

from .conftest import Browser


def test_a_page_that_is_not_there(member: User, browse: Browser) -> None:
    response = browse(member).get("/nowhere/")
    assert response.status_code == 404
    assert "Nothing here" in response.content.decode()


def test_a_defect_shows_a_page_without_its_reasons(member: User, browse: Browser) -> None:
    client = browse(member)
    client.raise_request_exception = False
    with mock.patch("accounting.pages.start.base_url", side_effect=RuntimeError("a secret detail")):
        response = client.get("/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()
    assert "secret detail" not in response.content.decode()


def test_error_pages_ask_no_database() -> None:
    """The test itself has none: a query would raise."""
    for page, status in ((errors.too_many_requests, 429), (errors.server_error, 500), (errors.forbidden, 403)):
        response = page(RequestFactory().get("/"))
        assert response.status_code == status
        assert "To the start page" in response.content.decode()
