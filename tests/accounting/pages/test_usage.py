"""Reports as pages: what each shows, to whom, at what cost."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounting.models import Limit, User
from accounting.replica import Replica
from tests.accounting.company import Company, record, settle

from .conftest import Browser

TODAY = timezone.localdate
PAGES = ("", "speed/", "what-if/", "sessions/", "requests/", "month/", "month/2026-03/")


@pytest.fixture
def busy(company: Company) -> Company:
    """Usage today of everybody, in the roll-ups and on the ledger."""
    for number, who in enumerate(company.keys):
        settle(company, who, day=TODAY(), cost=Decimal(number + 1))
        record(company, who, started_at=timezone.now(), request_id=f"req_{who}", session_id=f"session-{who}")
    return company


def _page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


# --- who sees what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("who", "mine", "red", "blue", "everything"),
    [
        ("bob", 200, 403, 403, 403),
        ("ada", 200, 200, 403, 403),
        ("grace", 200, 403, 200, 403),
        ("root", 200, 200, 200, 200),
    ],
)
def test_permission_matrix(
    busy: Company, browse: Browser, page: str, who: str, mine: int, red: int, blue: int, everything: int
) -> None:
    client = browse(busy[who])
    paths = ["/usage/", f"/teams/{busy.red.pk}/", f"/teams/{busy.blue.pk}/", "/everything/"]
    statuses = [client.get(path + page).status_code for path in paths]
    assert statuses == [mine, red, blue, everything]
    for path in paths:
        assert Client().get(path + page).status_code == 302


@pytest.mark.parametrize(("who", "sees"), [("eve", 200), ("bob", 404), ("ada", 200), ("grace", 404), ("root", 200)])
@pytest.mark.parametrize("path", ["/requests/req_eve/", "/sessions/session-eve/"])
def test_a_request_and_a_session_are_seen_by_whom_they_concern(
    busy: Company, browse: Browser, path: str, who: str, sees: int
) -> None:
    assert browse(busy[who]).get(path).status_code == sees
    assert Client().get(path).status_code == 302


def test_a_team_that_does_not_exist_looks_like_one_that_is_not_yours(busy: Company, browse: Browser) -> None:
    assert browse(busy["ada"]).get("/teams/99999/").status_code == 403
    assert browse(busy["root"]).get("/teams/99999/").status_code == 404


def test_my_usage_is_mine_alone_even_for_an_admin(busy: Company, browse: Browser) -> None:
    page = _page(browse(busy["root"]), "/usage/requests/")
    assert "req_root" in page
    assert "req_eve" not in page


def test_a_lead_sees_people_of_their_team_only(busy: Company, browse: Browser) -> None:
    page = _page(browse(busy["ada"]), f"/teams/{busy.red.pk}/")
    assert "?period=30&amp;by=model&amp;measure=cost&amp;user=eve" in page
    assert "user=carl" not in page


def test_a_filter_by_somebody_elses_name_is_refused_in_words(busy: Company, browse: Browser) -> None:
    for name in ("carl", "nobody"):
        page = _page(browse(busy["ada"]), f"/teams/{busy.red.pk}/?user={name}")
        assert "There is no such user, or not for you." in page


def test_navigation_offers_what_one_may_see(busy: Company, browse: Browser) -> None:
    for who, offered in (("bob", []), ("ada", [f"/teams/{busy.red.pk}/"]), ("root", ["/everything/", "/admin/"])):
        page = _page(browse(busy[who]), "/")
        links = [path for path in (f"/teams/{busy.red.pk}/", "/everything/", "/admin/") if f'href="{path}"' in page]
        assert links == offered


# --- what a page shows -----------------------------------------------------------------------------------------------


def test_spend_has_today_the_month_and_the_period(company: Company, browse: Browser) -> None:
    settle(company, "bob", day=TODAY(), cost=Decimal("1.50"))
    settle(company, "bob", day=TODAY() - timedelta(days=40), cost=Decimal("3.00"))
    page = _page(browse(company["bob"]), "/usage/")
    assert page.count("$1.50") >= 3
    assert "50% less" in page
    assert "$3.00" in page


def test_a_chart_and_its_table_have_the_same_numbers(company: Company, browse: Browser) -> None:
    settle(company, "bob", day=TODAY(), cost=Decimal("1.25"), model="gpt-4o")
    settle(company, "bob", day=TODAY(), hour=13, cost=Decimal("0.75"), model="o3")
    page = _page(browse(company["bob"]), "/usage/?period=7")
    assert '"name": "gpt-4o", "values": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.25]' in page
    row = re.search(rf">{TODAY().isoformat()}</th>(.*?)</tr>", page, re.DOTALL)
    assert row
    assert re.findall(r"\$[\d.]+", row[1]) == ["$1.25", "$0.75", "$2.00"]


@pytest.mark.parametrize(("measure", "figure"), [("cost", "$0.25"), ("tokens", "450"), ("requests", "1")])
@pytest.mark.parametrize("by", ["model", "team", "user", "key", "tier", "provider", "asked_model"])
def test_it_is_cut_and_measured_as_asked(company: Company, browse: Browser, by: str, measure: str, figure: str) -> None:
    settle(company, "bob", day=TODAY())
    page = _page(browse(company["root"]), f"/everything/?by={by}&measure={measure}")
    assert f'<option value="{by}" selected>' in page
    assert f'<td class="num">{figure}</td>' in page


@pytest.mark.parametrize(
    ("page", "count"), [("", 8), ("speed/", 4), ("what-if/", 2), ("sessions/", 2), ("requests/", 2)]
)
def test_csv_and_json_ask_the_api_the_same(busy: Company, browse: Browser, page: str, count: int) -> None:
    client = browse(busy["ada"])
    shown = _page(client, f"/teams/{busy.red.pk}/{page}?period=7&user=eve")
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/api/[^"]*)"', shown)}
    assert len(links) == count
    for link in links:
        assert "team=red" in link
        assert "user=eve" in link
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("by", ["provider", "tier", "key"])
def test_what_the_chart_is_cut_by_has_a_table(busy: Company, browse: Browser, by: str) -> None:
    page = _page(browse(busy["ada"]), f"/teams/{busy.red.pk}/?by={by}")
    assert f'<section class="card flush" aria-labelledby="by-{by}">' in page


def test_a_share_is_of_the_whole_cost_though_the_table_is_cut(company: Company, browse: Browser) -> None:
    for number in range(20):
        settle(company, "bob", day=TODAY(), cost=Decimal(1), model=f"model-{number}")
    page = _page(browse(company["bob"]), "/usage/")
    assert page.count('aria-label="5%"') == 12


def test_days_are_the_gateways_wherever_one_looks_from(company: Company, browse: Browser) -> None:
    settle(company, "bob", day=TODAY(), hour=0, cost=Decimal("1.25"))
    client = browse(company["bob"])
    assert "are days of UTC" not in _page(client, "/usage/")
    client.cookies["tz"] = "Pacific/Honolulu"
    page = _page(client, "/usage/?period=7")
    assert re.search(rf">{TODAY().isoformat()}</th>.*?\$1.25", page, re.DOTALL)
    assert "are days of UTC" in page


def test_budgets_say_what_is_left(company: Company, browse: Browser) -> None:
    Limit.objects.create(name="Bob's day", scope="user", user=company["bob"], kind="budget", period="day", amount=10)
    Limit.objects.create(name="Eve's day", scope="user", user=company["eve"], kind="budget", period="day", amount=10)
    page = _page(browse(company["bob"]), "/usage/")
    assert "Bob&#x27;s day" in page
    assert "$10.00 left of $10.00" in page
    assert "Eve" not in page


def test_what_has_no_price_is_named_and_never_zero(company: Company, browse: Browser) -> None:
    settle(company, "bob", day=TODAY(), unpriced=1, cost=Decimal(0), model="mystery")
    page = _page(browse(company["bob"]), "/usage/")
    assert "openai/mystery: 1" in page
    assert '<span class="quiet">unknown</span>' in page


@pytest.mark.parametrize("path", ["/usage/" + page for page in PAGES])
def test_empty_pages_help(member: User, browse: Browser, path: str) -> None:
    assert re.search(r"Nothing|No sessions|No requests|No answers", _page(browse(member), path))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=2026-03-10&until=2026-03-01", "does not end before it begins"),
        ("since=nonsense", "wrong format"),
        ("period=own&since=1900-01-01&until=1900-02-01", "A period lies between"),
        ("since=2000-01-01&until=2000-01-31", "A period lies between"),
        ("outcome=fine", "not a valid choice"),
        ("model=" + "x" * 500, "no more than 200 characters"),
    ],
)
def test_bad_questions_are_told_and_something_is_shown(member: User, browse: Browser, query: str, words: str) -> None:
    page = _page(browse(member), f"/usage/?{query}")
    assert words in page
    assert "Shown are the last 30 days instead" in page


@pytest.mark.parametrize("query", ["period=x", "by=x", "measure=x", "by=outcome", "unheard=of"])
def test_unknown_choices_are_the_usual_ones(member: User, browse: Browser, query: str) -> None:
    assert "Last 30 days" in _page(browse(member), f"/usage/?{query}")


def test_what_if_takes_models_and_says_when_it_cannot(company: Company, browse: Browser) -> None:
    settle(company, "bob", day=TODAY(), input_tokens=1_000_000)
    client = browse(company["bob"])
    page = _page(client, "/usage/what-if/?candidates=openai/gpt-4o,nobody/knows")
    assert "openai/gpt-4o" in page
    assert "no known price" in page
    assert "Write models as provider/model" in _page(client, "/usage/what-if/?candidates=gpt-4o")


@pytest.mark.parametrize(
    "path", ["/usage/month/2026-13/", "/usage/month/1899-01/", "/usage/month/9999-12/", "/usage/month/2000-01/"]
)
def test_months_that_are_none(member: User, browse: Browser, path: str) -> None:
    assert browse(member).get(path).status_code == 404


def test_a_month_on_paper(company: Company, browse: Browser) -> None:
    settle(company, "bob", cost=Decimal("4.00"))
    page = _page(browse(company["ada"]), f"/teams/{company.red.pk}/month/2026-03/")
    assert "red: March 2026" in page
    assert "$4.00" in page
    assert f"/teams/{company.red.pk}/month/2026-2/" in page


# --- what it costs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "most"),
    [("", 22), ("speed/", 8), ("what-if/", 10), ("sessions/", 8), ("requests/", 7), ("month/", 16)],
)
def test_the_number_of_queries_does_not_grow(
    busy: Company, browse: Browser, django_assert_max_num_queries: DjangoAssertNumQueries, page: str, most: int
) -> None:
    for number in range(20):
        settle(busy, "bob", day=TODAY(), hour=number, model=f"model-{number}", tier=f"tier-{number}")
        record(busy, "bob", started_at=timezone.now(), session_id=f"s{number}")
    client = browse(busy["ada"])
    with django_assert_max_num_queries(most):
        client.get(f"/teams/{busy.red.pk}/{page}")


@pytest.mark.parametrize("page", PAGES)
def test_a_report_of_a_replica_that_is_behind_says_as_of_when(
    busy: Company, browse: Browser, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(busy["root"])
    assert "as-of" not in _page(client, f"/everything/{page}")
    monkeypatch.setattr(Replica, "behind", lambda _: timedelta(minutes=3))
    assert "Figures as of" in _page(client, f"/everything/{page}")


def test_an_admin_is_told_that_the_primary_stands_in(
    busy: Company, browse: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Replica, "is_left_out", lambda _: True)
    assert "come from the primary database" in _page(browse(busy["root"]), "/everything/")
    assert "come from the primary database" not in _page(browse(busy["ada"]), f"/teams/{busy.red.pk}/")
