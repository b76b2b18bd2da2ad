from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from accounting.identity import find
from accounting.models import DailyUsage
from accounting.reports import NOBODY, Viewer
from tests.accounting.company import Company, settle

SEEN = {
    "bob": {"bob"},
    "ada": {"ada", "bob", "eve", ""},
    "grace": {"grace", "carl"},
    "root": {"root", "ada", "bob", "eve", "grace", "carl", ""},
}


@pytest.mark.parametrize("who", SEEN)
def test_usage_is_own_or_of_a_team_one_leads_or_all(company: Company, who: str) -> None:
    for name in company.keys:
        settle(company, name)
    viewer = Viewer.of_user(company[who])
    rows = DailyUsage.objects.filter(viewer.condition())
    assert {row.user_name for row in rows} == SEEN[who]
    assert {row.user_name for row in DailyUsage.objects.all() if viewer.sees(row.user_id, row.team_id)} == SEEN[who]


def test_a_lead_does_not_see_what_a_member_does_for_another_team(company: Company) -> None:
    settle(company, "bob", team_id=company.blue.pk, team_name="blue")
    assert not DailyUsage.objects.filter(Viewer.of_user(company["ada"]).condition()).exists()
    assert DailyUsage.objects.filter(Viewer.of_user(company["grace"]).condition()).exists()
    assert DailyUsage.objects.filter(Viewer.of_user(company["bob"]).condition()).exists()


def test_a_service_key_sees_its_team_and_a_persons_key_what_the_person_sees(company: Company) -> None:
    for name in company.keys:
        settle(company, name)
    for who, seen in (("red-service", SEEN["ada"]), ("bob", SEEN["bob"]), ("root", SEEN["root"])):
        caller = find(company.tokens[who])
        assert caller is not None
        condition = Viewer.of_caller(caller).condition()
        assert set(DailyUsage.objects.filter(condition).values_list("user_name", flat=True)) == seen


def test_nobody_sees_nothing(company: Company) -> None:
    settle(company, "red-service", team_id=0, team_name="")
    company["bob"].is_active = False
    for user in (AnonymousUser(), company["bob"]):
        assert Viewer.of_user(user) == NOBODY
    assert not DailyUsage.objects.filter(NOBODY.condition()).exists()
    assert not NOBODY.sees(None, None)
    assert not NOBODY.seen_people().exists()
    assert not NOBODY.seen_teams().exists()
    assert not NOBODY.seen_keys().exists()


def test_people_teams_and_keys(company: Company) -> None:
    lead, member = Viewer.of_user(company["ada"]), Viewer.of_user(company["bob"])
    assert {one.username for one in lead.seen_people()} == {"ada", "bob", "eve"}
    assert {one.username for one in member.seen_people()} == {"bob"}
    assert {one.name for one in lead.seen_teams()} == {one.name for one in member.seen_teams()} == {"red"}
    assert {one.name for one in lead.seen_keys()} == {"ada's", "bob's", "eve's", "red-service"}
    assert {one.name for one in member.seen_keys()} == {"bob's"}
    assert Viewer.of_user(company["root"]).seen_keys().count() == len(company.keys)
