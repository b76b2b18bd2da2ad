"""The mapping board: seen, previewed, saved with a reason, and never over somebody else's change."""

from __future__ import annotations

import pytest
from django.test import Client

from accounting.models import Membership, Team, User
from routing.models import Override, Revision, Tier
from routing.resolution import resolve
from routing.table import load
from tests.routing.mappings import ALL_KEYS, set_up

pytestmark = pytest.mark.django_db
BOARD, EDIT = "/admin/routing/tier/", "/admin/routing/tier/edit/"
PATTERNS = "*haiku* → SMALL\n*sonnet* → BIG\n*opus* -> BIG\nclaude* BIG"


@pytest.fixture(autouse=True)
def _mapping() -> None:
    set_up(**ALL_KEYS, BIG_MODEL="gpt-5.1", SMALL_MODEL="gpt-4o-mini")


def form(
    big: str = "openai/gpt-5.1", *, overrides: list[tuple[str, str, str]] | None = None, **more: str
) -> dict[str, str]:
    """The edit form as a browser sends it, with one blank row at each end."""
    rows = [("BIG", big), ("SMALL", "openai/gpt-4o-mini"), ("", "/")]
    seen = str(Revision.objects.values_list("pk", flat=True).first())
    data = {"seen": seen, "patterns": PATTERNS, "reason": "", "tier-TOTAL_FORMS": "3", "tier-INITIAL_FORMS": "2"}
    for number, (name, goal) in enumerate(rows):
        provider, _, model = goal.partition("/")
        data |= {f"tier-{number}-name": name, f"tier-{number}-provider": provider, f"tier-{number}-model": model}
    wanted = [*(overrides or []), ("", "", "/")]
    data |= {"override-TOTAL_FORMS": str(len(wanted)), "override-INITIAL_FORMS": "0"}
    for number, (whom, what, goal) in enumerate(wanted):
        provider, _, model = goal.partition("/")
        data |= {f"override-{number}-{name}": value for name, value in
                 {"whom": whom, "what": what, "provider": provider, "model": model}.items()}  # fmt: skip
    return data | more


def test_the_board_shows_where_names_lead_and_what_it_costs(admin_client: Client) -> None:
    page = admin_client.get(BOARD).content.decode()
    for said in ("BIG", "*opus*", "gpt-5.1", "$1.25", "$10.00", "272,000 tokens", "First start, from the environment"):
        assert said in page


def test_a_preview_changes_nothing_and_a_save_is_in_force(admin_client: Client, admin_user: User) -> None:
    page = admin_client.post(EDIT, form("gemini/gemini-2.5-pro", preview="")).content.decode()
    assert "BIG: openai/gpt-5.1 ⇒ gemini/gemini-2.5-pro" in page
    assert "claude-opus-4-8" in page
    assert Tier.objects.get(name="BIG").model == "gpt-5.1"
    saved = admin_client.post(EDIT, form("gemini/gemini-2.5-pro", save="", reason="cheaper"))
    assert saved.status_code == 302
    assert resolve(load(), None, "claude-opus-4-8").target.model == "gemini-2.5-pro"
    made = Revision.objects.latest("id")
    assert (made.actor, made.reason) == (admin_user, "cheaper")


def test_a_save_wants_a_reason(admin_client: Client) -> None:
    page = admin_client.post(EDIT, form("gemini/gemini-2.5-pro", save="")).content.decode()
    assert "Say why" in page
    assert Tier.objects.get(name="BIG").model == "gpt-5.1"


def test_a_change_of_somebody_elses_is_not_overwritten(admin_client: Client) -> None:
    data = form("gemini/gemini-2.5-pro", save="", reason="mine")
    admin_client.post(EDIT, form("openai/o3", save="", reason="theirs"))
    page = admin_client.post(EDIT, data).content.decode()
    assert "Somebody else has changed the mapping" in page
    assert Tier.objects.get(name="BIG").model == "o3"


def test_overrides_are_of_people_and_teams(admin_client: Client) -> None:
    anna, core = User.objects.create_user("anna"), Team.objects.create(name="core")
    Membership.objects.create(user=anna, team=core)
    rows = [("anna", "BIG", "openai/o3"), ("team core", "*fable*", "gemini/gemini-2.5-pro")]
    assert admin_client.post(EDIT, form(overrides=rows, save="", reason="try")).status_code == 302
    assert [str(row) for row in Override.objects.all()] == [
        "anna: BIG → openai/o3",
        "core: *fable* → gemini/gemini-2.5-pro",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"patterns": "*haiku* → TINY"}, "which there is not"),
        ({"patterns": "*haiku*"}, "is not of the form"),
        ({"patterns": "a BIG\na SMALL"}, "stands there twice"),
        ({"tier-2-name": "BIG", "tier-2-provider": "openai"}, "Two tiers have the same name"),
        ({"override-0-whom": "nobody", "override-0-what": "BIG", "override-0-provider": "openai"}, "no user"),
        ({"override-0-whom": "team x", "override-0-what": "BIG", "override-0-provider": "openai"}, "no team"),
        ({"tier-0-provider": "nowhere"}, "Select a valid choice"),
    ],
)
def test_mistakes_are_told_where_they_are(admin_client: Client, data: dict[str, str], said: str) -> None:
    before = Revision.objects.count()
    page = admin_client.post(EDIT, form(save="", reason="x") | data).content.decode()
    assert said in page
    assert Revision.objects.count() == before


@pytest.mark.parametrize("url", [BOARD, EDIT, "/admin/routing/tier/explain/", "/admin/routing/tier/test/"])
def test_others_are_not_let_in(client: Client, url: str) -> None:
    assert client.get(url).status_code == 302
    staff = User.objects.create_user("staff", is_staff=True)
    client.force_login(staff)
    assert client.get(url).status_code == 403
