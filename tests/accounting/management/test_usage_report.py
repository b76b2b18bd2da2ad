from __future__ import annotations

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from tests.accounting.company import DAY, Company, settle


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("usage_report", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def march(company: Company) -> Company:
    settle(company, "bob", cost=Decimal("1234.5"))
    settle(company, "carl", cost=Decimal(1), model="mystery", unpriced=1)
    settle(company, "bob", cost=Decimal(2), day=DAY.replace(month=2))
    return company


def test_a_month_is_printed(march: Company) -> None:
    text = run("--month", "2026-03")
    assert text.startswith("Usage in March 2026\n")
    assert "Cost      $1,235.50   (the month before: $2.00)" in text
    assert "$1,234.50" in text
    assert "1 requests  openai/mystery" in text
    assert "  unknown       1          mystery\n" in text
    assert "By person\n" in text


def test_one_teams_month(march: Company) -> None:
    text = run("--month", "2026-03", "--team", "blue")
    assert "Cost      $1.00" in text
    assert "bob" not in text


def test_it_is_mailed_as_text_and_html(march: Company) -> None:
    settle(march, "eve", user_name="<script>")
    assert run("--month", "2026-03", "--mail-to", "cfo@example.com", "lead@example.com").startswith("Mailed to cfo@")
    (sent,) = mail.outbox
    assert sent.to == ["cfo@example.com", "lead@example.com"]
    assert sent.subject == "[Tollgate] Usage in March 2026: $1,235.75"
    message: Any = sent
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<script>" in sent.body


def test_nothing_used_is_a_report_too(company: Company) -> None:
    assert "nothing" in run()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--month", "March"], "'March' is no month"),
        (["--month", "1999-01"], "'1999-01' is no month"),
        (["--team", "nobody"], "There is no team 'nobody'."),
        (["--mail-to", "cfo"], "'cfo' is no mail address"),
    ],
)
@pytest.mark.django_db
def test_what_is_wrong_is_said_in_a_line(arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run(*arguments)
