from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pytest_django import DjangoAssertNumQueries

from accounting.reports import Selection, Viewer
from accounting.reports.sessions import agents, sessions
from tests.accounting.company import Company, days_before, record

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_the_latest_sessions_first_with_what_they_cost(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    record(company, "bob", session_id="one", cost=Decimal(1))
    record(
        company, "bob", session_id="one", agent_id="a", cost=None, exact=False, started_at=NOON + timedelta(minutes=9)
    )
    record(company, "carl", session_id="two", started_at=NOON + timedelta(minutes=5))
    record(company, "carl")
    with django_assert_num_queries(2):
        one, two = sessions(everything)
    assert (one.session_id, one.user_name, one.team_name, one.agents) == ("one", "bob", "red", 2)
    assert (one.first_at, one.last_at) == (NOON, NOON + timedelta(minutes=9))
    assert (one.totals.requests, one.totals.cost, one.totals.unpriced, one.totals.estimated) == (2, 1, 1, 1)
    assert two.session_id == "two"
    assert sessions(everything, limit=1) == (one,)
    assert [found.session_id for found in sessions(everything, before=one.last_at)] == ["two"]


def test_going_on_skips_no_session_for_one_that_was_told(company: Company, everything: Selection) -> None:
    """A session that worked all along stands before many others, and takes no place on the pages behind."""
    record(company, "bob", session_id="long", started_at=NOON)
    for minute in range(1, 6):
        record(company, "carl", session_id=f"s{minute}", started_at=NOON + timedelta(minutes=minute))
    record(company, "bob", session_id="long", started_at=NOON + timedelta(minutes=1, seconds=30))
    record(company, "bob", session_id="long", started_at=NOON + timedelta(minutes=9))
    told: list[str] = []
    page = sessions(everything, limit=2)
    while page:
        told += [one.session_id for one in page]
        assert len(page) == 2
        page = sessions(everything, limit=2, before=page[-1].last_at)
    assert told == ["long", "s5", "s4", "s3", "s2", "s1"]


def test_a_viewer_sees_their_sessions_alone(company: Company, everything: Selection) -> None:
    record(company, "bob", session_id="one")
    record(company, "carl", session_id="two")
    theirs = replace(everything, viewer=Viewer.of_user(company["grace"]))
    assert [found.session_id for found in sessions(theirs)] == ["two"]
    assert agents(theirs, "one") == ()
    assert sessions(replace(everything, viewer=Viewer.of_user(company["eve"]))) == ()


def test_agents_are_a_tree_whose_whole_has_a_cost(
    company: Company, everything: Selection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    long_ago = datetime.combine(days_before(100), NOON.time(), UTC)
    record(company, "bob", session_id="s", cost=Decimal(1), started_at=long_ago)
    for agent, parent, minute in (("a", "", 1), ("b", "a", 2), ("c", "", 3), ("b", "a", 4)):
        record(
            company,
            "bob",
            session_id="s",
            agent_id=agent,
            parent_agent_id=parent,
            cost=Decimal(10),
            started_at=NOON + timedelta(minutes=minute),
        )
    with django_assert_num_queries(1):
        (main,) = agents(everything, "s")
    assert (main.agent_id, main.own.cost, main.whole.cost) == ("", 1, 41)
    a, c = main.children
    assert (a.agent_id, a.own.requests, a.whole.requests, c.children) == ("a", 1, 3, ())
    (b,) = a.children
    assert (b.own.cost, b.last_at) == (20, NOON + timedelta(minutes=4))


def test_agents_whose_parents_are_unknown_or_in_a_circle_are_roots(company: Company, everything: Selection) -> None:
    for agent, parent in (("orphan", "gone"), ("x", "y"), ("y", "x"), ("self", "self")):
        record(company, "bob", session_id="s", agent_id=agent, parent_agent_id=parent)
    found = agents(everything, "s")
    assert {agent.agent_id for agent in found} == {"orphan", "x", "y", "self"}
    assert all(agent.children == () for agent in found)


def test_a_long_chain_of_agents(company: Company, everything: Selection) -> None:
    for n in range(200):
        parent = str(n - 1) if n else ""
        record(company, "bob", session_id="s", agent_id=str(n), parent_agent_id=parent, cost=Decimal(1))
    (root,) = agents(everything, "s")
    assert root.whole.cost == 200
