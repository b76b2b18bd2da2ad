"""Changes of the mapping: revisions, differences, preview, rollback."""

from __future__ import annotations

import pytest

from accounting.models import Membership, Team, User
from routing.mapping import CannotRestore, Change, difference, preview, restore, revising, rollback, snapshot
from routing.models import Override, Provider, Revision, Tier, TierPattern

from .mappings import ALL_KEYS, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    set_up(**ALL_KEYS, BIG_MODEL="gpt-4o", SMALL_MODEL="gpt-4o-mini")
    user: User = User.objects.create_user("anna")
    return user


def lead(tier: str, provider: str, model: str) -> None:
    Tier.objects.filter(name=tier).update(provider=Provider.objects.get(name=provider), model=model)


def test_a_change_leaves_a_revision_and_no_change_none(anna: User) -> None:
    before = Revision.objects.count()
    with revising(anna, "nothing"):
        pass
    assert Revision.objects.count() == before
    with revising(anna, "Gemini is cheaper"):
        lead("BIG", "gemini", "gemini-2.5-pro")
    made = Revision.objects.latest("id")
    assert (made.actor, made.actor_name, made.reason) == (anna, "anna", "Gemini is cheaper")
    assert made.diff == ["BIG: openai/gpt-4o ⇒ gemini/gemini-2.5-pro"]


def test_a_failed_change_leaves_neither_rows_nor_revision(anna: User) -> None:
    before = snapshot(), Revision.objects.count()

    def break_off() -> None:
        with revising(anna, "breaks"):
            lead("BIG", "gemini", "gemini-2.5-pro")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert (snapshot(), Revision.objects.count()) == before


def test_rollback_puts_everything_back(anna: User) -> None:
    team = Team.objects.create(name="core")
    openai = Provider.objects.get(name="openai")
    with revising(anna, "overrides"):
        Override.objects.create(user=anna, tier=Tier.objects.get(name="BIG"), provider=openai, model="o3")
        Override.objects.create(team=team, pattern="*fable*", provider=openai, model="gpt-5")
    good, wanted = Revision.objects.latest("id"), snapshot()
    with revising(anna, "all wrong"):
        Override.objects.all().delete()
        lead("BIG", "gemini", "gemini-2.5-flash")
        think = Tier.objects.create(name="THINK", provider=openai, model="o3")
        TierPattern.objects.create(tier=think, pattern="*opus-4-8*", position=0)
        Tier.objects.get(name="SMALL").delete()
    assert snapshot() != wanted
    rollback(good, anna)
    assert snapshot() == wanted
    made = Revision.objects.latest("id")
    assert made.reason == f"Rolled back to revision {good.pk}"
    assert "THINK: removed (was openai/o3)" in made.diff
    assert "SMALL: new, openai/gpt-4o-mini" in made.diff


def test_what_is_gone_cannot_be_rolled_back_to(anna: User) -> None:
    groq = Provider.objects.create(name="groq", dialect="openai_chat")
    with revising(anna, "groq"):
        lead("BIG", "groq", "llama-4")
    there = Revision.objects.latest("id")
    with revising(anna, "away"):
        lead("BIG", "openai", "gpt-4o")
    groq.delete()
    now = snapshot()
    with pytest.raises(CannotRestore, match="no provider 'groq'"):
        rollback(there, anna)
    assert snapshot() == now
    override = {"user": "nobody", "team": "", "tier": "BIG", "pattern": "", "provider": "openai", "model": ""}
    with pytest.raises(CannotRestore, match="no user 'nobody'"), revising(anna, "x"):
        restore({**now, "overrides": [override]})
    assert snapshot() == now


def test_preview_says_what_changes_for_whom_and_changes_nothing(anna: User) -> None:
    team = Team.objects.create(name="core")
    Membership.objects.create(user=anna, team=team)
    big = Tier.objects.get(name="BIG")
    Override.objects.create(user=anna, tier=big, provider=big.provider, model="o3")
    Override.objects.create(team=team, pattern="*fable*", provider=big.provider, model="gpt-5")
    before = snapshot()
    changes = preview(lambda: lead("BIG", "gemini", "gemini-2.5-pro"))
    assert snapshot() == before
    assert Change("Everyone", "claude-opus-4-8", "openai/gpt-4o", "gemini/gemini-2.5-pro") in changes
    assert Change("Team core", "claude-opus-4-8", "openai/gpt-4o", "gemini/gemini-2.5-pro") in changes
    assert {change.whom for change in changes} == {"Everyone", "Team core"}, "anna's own override shields her"
    assert not [change for change in changes if "haiku" in change.name]
    assert not [change for change in changes if change.whom == "Team core" and "fable" in change.name]


def test_an_order_of_patterns_is_a_difference(anna: User) -> None:
    before = snapshot()
    TierPattern.objects.filter(pattern="claude*").update(position=0)
    TierPattern.objects.filter(pattern="*haiku*").update(position=9)
    assert difference(before, snapshot())[0].startswith("The order of the patterns: ")
