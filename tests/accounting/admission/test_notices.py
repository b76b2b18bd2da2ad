"""Who is told that a budget fills, and what."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail

from accounting.admission import notices
from accounting.admission.gate import Soft
from accounting.admission.policies import Policy
from accounting.models import Limit, Membership, Team, User

pytestmark = pytest.mark.django_db


def filled(**values: Any) -> Soft:
    limit = Limit.objects.create(**{"kind": "budget", "period": "month", "amount": 10, **values})
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Soft(Policy.of(limit), at, Decimal("8.5"), Decimal(10))


def test_a_team_budget_concerns_its_leads() -> None:
    team = Team.objects.create(name="engines")
    for name, role in (("ada", Membership.Role.LEAD), ("bob", Membership.Role.MEMBER)):
        user = User.objects.create(username=name, email=f"{name}@example.com")
        Membership.objects.create(user=user, team=team, role=role)
    notices.mail(filled(scope="team", team=team))
    message = mail.outbox[0]
    assert message.to == ["ada@example.com"]
    assert "team engines is used to $8.50 of $10.00. It resets on 2026-12-01 00:00 UTC." in message.body


def test_a_gateway_budget_concerns_the_admins_and_a_persons_that_person() -> None:
    admin = User.objects.create(username="root", is_staff=True)
    ada = User.objects.create(username="ada")
    assert notices.concerned(filled(scope="gateway")) == [admin]
    assert notices.concerned(filled(scope="user", user=ada)) == [ada]


def test_nobody_with_an_address_nobody_is_mailed() -> None:
    notices.mail(filled(scope="user", user=User.objects.create(username="ada")))
    assert mail.outbox == []


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    received: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_is_told(hook: tuple[str, list[Any]], settings: LazySettings) -> None:
    settings.BUDGET_WEBHOOK_URL, received = hook
    notices.post(filled(scope="gateway", name="All of us"))
    assert len(received) == 1
    told = received[0]
    assert (told["name"], told["scope"], told["amount"], told["spent"], told["percent"]) == (
        "All of us",
        "gateway",
        "10",
        "8.5",
        80,
    )
    assert told["resets_at"] == "2026-12-01T00:00:00+00:00"


def test_a_file_is_no_webhook(settings: LazySettings) -> None:
    settings.BUDGET_WEBHOOK_URL = "file:///etc/passwd"
    with pytest.raises(OSError, match="not an HTTP address"):
        notices.post(filled(scope="gateway"))


def test_a_mail_server_that_is_away_does_not_keep_the_webhook_from_being_told(
    hook: tuple[str, list[Any]], settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BUDGET_WEBHOOK_URL, received = hook
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    User.objects.create(username="root", is_staff=True, email="root@example.com")
    notices._send(filled(scope="gateway"))
    assert len(received) == 1
    assert "no mail of a filled budget" in caplog.text


def test_what_a_webhook_answers_is_logged_without_its_address(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BUDGET_WEBHOOK_URL = "http://127.0.0.1/a secret path"
    notices._send(filled(scope="gateway"))
    assert "no post of a filled budget" in caplog.text
    assert "secret" not in caplog.text


def test_a_name_of_two_lines_is_mailed_in_one() -> None:
    team = Team.objects.create(name="engines\r\nBcc: eve@example.com")
    ada = User.objects.create(username="ada", email="ada@example.com")
    Membership.objects.create(user=ada, team=team, role=Membership.Role.LEAD)
    notices.mail(filled(scope="team", team=team))
    assert mail.outbox[0].subject == "Budget of team engines Bcc: eve@example.com: 80% used"
