from __future__ import annotations

import pytest

from accounting.models import Membership, Team, User
from accounting.pages.groups import bring_in_line, groups_in

MAPPING = {"eng": "Platform", "eng-leads": "Platform:lead", "lab": "Research", "gateway-admins": "@admin"}


def _places(user: User) -> dict[str, str]:
    return dict(user.memberships.values_list("team__name", "role"))


@pytest.mark.parametrize(
    ("claims", "claim", "groups"),
    [
        ({"groups": ["a", "b"]}, "groups", {"a", "b"}),
        ({"groups": "a"}, "groups", {"a"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://example.com/groups": ["a"]}, "https://example.com/groups", {"a"}),
        ({"realm_access": "odd"}, "realm_access.roles", set()),
        ({"groups": {"odd": 1}}, "groups", set()),
        ({}, "groups", set()),
    ],
)
def test_groups_are_found_where_providers_put_them(claims: dict[str, object], claim: str, groups: set[str]) -> None:
    assert groups_in(claims, claim) == groups


def test_groups_give_places_and_take_them(member: User) -> None:
    bring_in_line(member, ["eng-leads", "eng", "lab", "unheard of"], MAPPING)
    assert _places(member) == {"Platform": "lead", "Research": "member"}
    bring_in_line(member, ["eng"], MAPPING)
    assert _places(member) == {"Platform": "member"}
    bring_in_line(member, [], MAPPING)
    assert _places(member) == {}


def test_teams_that_no_group_names_are_left_alone(member: User) -> None:
    Membership.objects.create(user=member, team=Team.objects.create(name="By hand"), role="lead")
    bring_in_line(member, [], MAPPING)
    assert _places(member) == {"By hand": "lead"}


def test_the_admins_group_makes_admins_and_unmakes_them(member: User) -> None:
    for groups, is_admin in ((["gateway-admins"], True), (["eng"], False)):
        bring_in_line(member, groups, MAPPING)
        member.refresh_from_db()
        assert (member.is_staff, member.is_superuser) == (is_admin, is_admin)


def test_without_an_admins_group_nobodys_rights_change(admin: User) -> None:
    bring_in_line(admin, [], {"eng": "Platform"})
    admin.refresh_from_db()
    assert admin.is_staff
