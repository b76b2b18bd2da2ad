from __future__ import annotations

import pytest
from django.test import Client

from accounting.models import User

from .conftest import Browser

MINE = ["/", "/connection/", "/keys/", "/keys/new/", "/account/", "/accounts/2fa/", "/accounts/password/change/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", MINE)
def test_strangers_are_asked_to_sign_in(path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("path", MINE)
@pytest.mark.parametrize("who", ["member", "lead", "other_lead", "admin"])
def test_everybody_has_their_own_pages(path: str, who: str, request: pytest.FixtureRequest, browse: Browser) -> None:
    user: User = request.getfixturevalue(who)
    response = browse(user).get(path)
    assert response.status_code == 200
    assert "Cookie" in response.headers["Vary"]
    assert "private" in response.headers.get("Cache-Control", "") or path.startswith("/accounts/")


@pytest.mark.parametrize(
    "path", ["/keys/first/", "/keys/new/", "/keys/1/rotate/", "/keys/1/revoke/", "/accounts/logout/"]
)
def test_no_form_without_its_csrf_token(member: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(path)
    assert response.status_code == 403
    assert "This form is no longer good" in response.content.decode()
