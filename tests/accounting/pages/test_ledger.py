from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounting.models import RateCard
from tests.accounting.company import Company, record

from .conftest import Browser


def _ids(page: str) -> list[str]:
    return re.findall(r'href="/requests/([^/"]+)/"', page)


def _pages(client: Client, path: str, pattern: str) -> list[str]:
    """All that ``pattern`` finds on the list's pages, from the first to the last."""
    found: list[str] = []
    for _ in range(20):
        page = client.get(path).content.decode()
        found += re.findall(pattern, page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        if more is None:
            return found
        path = path.partition("?")[0] + more[1].replace("&amp;", "&")
    raise AssertionError("the list has no end")


def test_every_request_is_on_one_page_also_those_of_one_moment(company: Company, browse: Browser) -> None:
    now = timezone.now()
    made = [
        record(company, "bob", started_at=now - timedelta(seconds=number // 30), request_id=f"req_{number}").request_id
        for number in range(130)
    ]
    seen = _pages(browse(company["bob"]), "/usage/requests/", r'href="/requests/([^/"]+)/"')
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize("cursor", ["", "x", "2026-03-10T12:00:00+00:00", "2026-99-99T99:99~x", "2026-03-10T12:00~x"])
def test_a_bad_cursor_is_no_cursor(company: Company, browse: Browser, cursor: str) -> None:
    record(company, "bob", started_at=timezone.now(), request_id="req_1")
    page = browse(company["bob"]).get("/usage/requests/", {"after": cursor}).content.decode()
    assert _ids(page) == ["req_1"]


def test_requests_are_narrowed_by_outcome(company: Company, browse: Browser) -> None:
    record(company, "bob", started_at=timezone.now(), request_id="req_fine")
    record(company, "bob", started_at=timezone.now(), request_id="req_cut", outcome="interrupted")
    page = browse(company["bob"]).get("/usage/requests/?outcome=interrupted").content.decode()
    assert _ids(page) == ["req_cut"]
    assert "Outcome: <strong>interrupted</strong>" in page


def test_a_request_shows_where_its_cost_comes_from(company: Company, browse: Browser) -> None:
    rates = {"input": "0.000002", "output": "0.00001", "cache_read": "0.0000002"}
    card = RateCard.objects.create(digest="d", source="a price list", rates=rates, created_at=timezone.now())
    record(
        company,
        "bob",
        request_id="req_1",
        input_tokens=1000,
        cache_read_tokens=10_000,
        output_tokens=300,
        reasoning_tokens=100,
        cost=Decimal("0.007"),
        rate_card=card,
    )
    page = browse(company["bob"]).get("/requests/req_1/").content.decode()
    rows = re.findall(r'<th scope="row">([^<]+)</th>((?:<td class="num">[^<]*</td>)+)', page)
    figures = {title: re.findall(r">([^<]*)</td>", cells) for title, cells in rows}
    assert figures["Input"] == ["1,000", "$2.00", "$0.0020"]
    assert figures["Read from cache"] == ["10,000", "$0.20", "$0.0020"]
    assert figures["Output"] == ["200", "$10.00", "$0.0020"]
    assert figures["Reasoning"] == ["100", "$10.00", "$0.0010"]
    assert "a price list" in page


def test_a_request_without_a_price_does_not_pretend_to_be_free(company: Company, browse: Browser) -> None:
    record(company, "bob", request_id="req_1", cost=None, exact=False)
    page = browse(company["bob"]).get("/requests/req_1/").content.decode()
    assert "No price was known" in page
    assert "an estimate" in page
    assert "$0.00" not in page


def test_a_sessions_agents_stand_below_who_started_them(company: Company, browse: Browser) -> None:
    for agent, parent in (("", ""), ("a1", ""), ("a2", "a1")):
        record(company, "bob", session_id="s1", agent_id=agent, parent_agent_id=parent)
    page = browse(company["bob"]).get("/sessions/s1/").content.decode()
    found = re.findall(
        r'class="indent-(\d)"><span class="visually-hidden">Level (\d+): </span>(?:<[^>]+>)?([^<]+)', page
    )
    assert found == [("0", "0", "Main agent"), ("1", "1", "a1"), ("2", "2", "a2")]
    assert "$0.75" in page


def test_a_long_chain_of_agents_is_shown(company: Company, browse: Browser) -> None:
    for number in range(120):
        record(
            company, "bob", session_id="s1", agent_id=f"a{number}", parent_agent_id=f"a{number - 1}" if number else ""
        )
    page = browse(company["bob"]).get("/sessions/s1/").content.decode()
    assert "Level 119" in page


def test_sessions_go_on_over_pages(company: Company, browse: Browser) -> None:
    now = timezone.now()
    for number in range(60):
        record(company, "bob", started_at=now - timedelta(minutes=number), session_id=f"session-{number:02}")
    seen = _pages(browse(company["bob"]), "/usage/sessions/", r'href="/sessions/([^/"]+)/"')
    assert seen == [f"session-{number:02}" for number in range(60)]
