"""People and teams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounting.models import Key, Membership, Team, User
from accounting.rotation import revoke

from .many import Line, ManyView, ask
from .page import actor

admin.site.unregister(Group)


@admin.register(Group)
class PermissionGroupAdmin(GroupAdmin, ModelAdmin):
    """Sets of permissions of the admin; teams are something else."""


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "team")


class TeamForm(forms.Form):
    """Which team, and as what."""

    team = forms.ModelChoiceField(Team.objects.all())
    role = forms.ChoiceField(choices=Membership.Role.choices)


class TeamView(ManyView):
    """The chosen people join a team, or change their role in it."""

    title = "Put into a team"
    permission_required = ("accounting.change_user", "accounting.change_team")
    form_class = TeamForm
    columns = ("Person", "Name", "Teams")
    lead = "They stay in the teams they are in. A key without a team of its own spends for the first team it joined."
    button = "Put into the team"

    def chosen(self) -> QuerySet[User]:
        return super().chosen().prefetch_related("memberships__team")

    def lines(self, rows: Iterable[User]) -> Iterable[Line]:
        return [Line(user, (user.get_full_name() or user.email or "–", teams_of(user))) for user in rows]

    def change_all(self, form: TeamForm, rows: list[User], by: User) -> str:
        team, role = form.cleaned_data["team"], form.cleaned_data["role"]
        for user in rows:
            Membership.objects.update_or_create(user=user, team=team, defaults={"role": role})
        return f"{len(rows)} in {team} as {role}, from the next request on."


class RevokeView(ManyView):
    """All keys of the chosen people end."""

    title = "Revoke all their keys"
    permission_required = ("accounting.change_user", "accounting.change_key")
    columns = ("Person", "Name", "Keys in use")
    lead = "From the next request on, and for good. The people can still sign in, and make themselves new keys."
    button = "Revoke"

    def chosen(self) -> QuerySet[User]:
        people: QuerySet[User] = super().chosen()
        return people.annotate(n_keys=Count("keys", filter=Q(keys__revoked_at=None)))

    def lines(self, rows: Iterable[Any]) -> Iterable[Line]:
        return [
            Line(user, (user.get_full_name() or user.email or "–", user.n_keys), "" if user.n_keys else "no key")
            for user in rows
        ]

    def change_all(self, form: forms.Form, rows: list[User], by: User) -> str:
        keys = list(Key.objects.filter(user__in=rows, revoked_at=None))
        for key in keys:
            revoke(key)
        return f"{len(keys)} key(s) revoked, from the next request on."


def teams_of(user: User) -> str:
    memberships = user.memberships.all()
    return ", ".join(f"{one.team} (lead)" if one.is_lead else str(one.team) for one in memberships) or "–"


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # Django's own takes no parameter when it runs
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    list_display = ("username", "name", "in_teams", "live_keys", "state", "role", "last_login")
    list_filter = ("is_active", "is_staff", "memberships__team", "memberships__role")
    search_fields = ("username", "first_name", "last_name", "email", "memberships__team__name")
    actions = ("activate", "deactivate", "put_into_team", "revoke_keys")
    list_per_page = 50
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Single permissions in the admin", {"classes": ("collapse",), "fields": ("groups", "user_permissions")}),
        ("Dates", {"classes": ("collapse",), "fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "usable_password", "password1", "password2")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people: QuerySet[User] = super().get_queryset(request)
        live = Count("keys", filter=Q(keys__revoked_at=None), distinct=True)
        return people.prefetch_related("memberships__team").annotate(n_keys=live)

    @display(description="Name")
    def name(self, user: User) -> str:
        return user.get_full_name() or user.email or "–"

    @display(description="Teams")
    def in_teams(self, user: User) -> str:
        return teams_of(user)

    @display(description="Keys", ordering="n_keys")
    def live_keys(self, user: User) -> SafeString:
        url = reverse("admin:accounting_key_changelist") + f"?user__id__exact={user.pk}"
        return format_html('<a href="{}">{}</a>', url, user.n_keys)  # type: ignore[attr-defined]  # put there for the list

    @display(description="State", ordering="is_active", label={"active": "success", "shut out": "danger"})
    def state(self, user: User) -> str:
        return "active" if user.is_active else "shut out"

    @display(description="Role", ordering="is_staff")
    def role(self, user: User) -> str:
        return "admin" if user.is_staff else "–"

    @admin.action(description="Let in", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, True)

    @admin.action(description="Shut out: their keys are refused at once", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset.exclude(pk=actor(request).pk), False)

    @admin.action(description="Put into a team…", permissions=["change"])
    def put_into_team(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return ask(self, request, queryset, "accounting_user_team")

    @admin.action(description="Revoke all their keys…", permissions=["change"])
    def revoke_keys(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return ask(self, request, queryset, "accounting_user_revoke")

    def get_urls(self) -> list[URLPattern]:
        team, keys = (self.admin_site.admin_view(view.as_view(model_admin=self)) for view in (TeamView, RevokeView))
        return [
            path("team/", team, name="accounting_user_team"),
            path("revoke/", keys, name="accounting_user_revoke"),
            *super().get_urls(),
        ]

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], active: bool) -> None:
        for user in queryset:
            user.is_active = active
            user.save(update_fields=["is_active"])
        self.message_user(request, f"{len(queryset)} account(s) changed.")


@admin.register(Team)
class TeamAdmin(ModelAdmin):
    list_display = ("name", "size", "leads", "live_keys", "created_at")
    search_fields = ("name", "people__username")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        teams: QuerySet[Team] = super().get_queryset(request)
        return teams.prefetch_related("memberships__user").annotate(
            n_people=Count("memberships", distinct=True),
            n_keys=Count("keys", filter=Q(keys__revoked_at=None), distinct=True),
        )

    @display(description="People", ordering="n_people")
    def size(self, team: Any) -> int:
        return int(team.n_people)

    @display(description="Leads")
    def leads(self, team: Team) -> str:
        return ", ".join(str(one.user) for one in team.memberships.all() if one.role == "lead") or "–"

    @display(description="Service keys", ordering="n_keys")
    def live_keys(self, team: Any) -> int:
        return int(team.n_keys)
