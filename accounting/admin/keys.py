"""Keys: made here and shown once, rotated with a grace time, revoked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounting.identity import DEFAULT_SCOPES, SCOPES, mint
from accounting.models import Key, User
from accounting.pages.snippets import base_url
from accounting.rotation import NotRotatable, revoke, rotate

from .many import Line, ManyView, ask
from .page import Page, moment

_GRACE = {"0": "ends at once", "1": "lives for an hour", "24": "lives for a day", "168": "lives for a week"}  # hours


class LinesField(forms.CharField):
    """A list of texts, one to a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes no parameter when it runs
    """What a key may do, where from, and until when."""

    scopes = forms.MultipleChoiceField(
        choices=[(name, f"{name}: {said}") for name, said in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=DEFAULT_SCOPES,
    )
    allowed_models = LinesField(required=False, help_text="Patterns, one to a line: claude-haiku-*, SMALL. Empty: all.")
    allowed_networks = LinesField(required=False, help_text="CIDR blocks, one to a line: 10.0.0.0/8. Empty: anywhere.")

    class Meta:
        model = Key
        fields = ("name", "user", "team", "scopes", "expires_at", "allowed_models", "allowed_networks")

    def clean_allowed_networks(self) -> list[str]:
        networks: list[str] = self.cleaned_data["allowed_networks"]
        for network in networks:
            try:
                ip_network(network, strict=False)
            except ValueError:
                raise forms.ValidationError(f"'{network}' is no network, such as 10.0.0.0/8.") from None
        return networks

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not (data.get("user") or data.get("team") or (self.instance.pk and "user" not in self.fields)):
            raise forms.ValidationError("A key belongs to a person, to a team (a service key), or to both.")
        return data


class LiveFilter(admin.SimpleListFilter):
    """Whether a key would be let in now."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "In use"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Key]) -> QuerySet[Key]:
        past = Q(expires_at__lte=timezone.now())
        match self.value():
            case "live":
                return queryset.filter(revoked_at=None).exclude(past)
            case "expired":
                return queryset.filter(past, revoked_at=None)
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


class RotateView(Page):
    """Asks how long the old key is to live on, then shows the new one's token."""

    title = "Rotate a key"
    permission_required = ("accounting.change_key", "accounting.add_key")
    template_name = "admin/accounting/rotate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(key=get_object_or_404(Key, pk=self.kwargs["pk"]), graces=_GRACE, **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = get_object_or_404(Key, pk=pk)
        grace = request.POST.get("grace", "24")
        try:
            new, token = rotate(key, timedelta(hours=int(grace if grace in _GRACE else "24")))
        except NotRotatable as error:
            messages.error(request, str(error))
            return redirect("admin:accounting_key_change", pk)
        return shown_once(self.model_admin, request, new, token)


class ExpiryForm(forms.Form):
    """Until when."""

    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Empty: never.",
    )


class ExpiryView(ManyView):
    """The chosen keys expire on one day."""

    title = "Set when they expire"
    permission_required = ("accounting.change_key",)
    form_class = ExpiryForm
    columns = ("Key", "Person", "Team", "Expires", "Last used")
    lead = "In force for the next request. A key that has expired is in use again where the new time is still to come."
    button = "Set"

    def chosen(self) -> QuerySet[Key]:
        return super().chosen().select_related("user", "team")

    def lines(self, rows: Iterable[Key]) -> Iterable[Line]:
        return [
            Line(
                key,
                (
                    key.user or "–",
                    key.team or "–",
                    moment(key.expires_at) if key.expires_at else "never",
                    moment(key.last_used_at) if key.last_used_at else "never",
                ),
                "it is revoked" if key.revoked_at else "",
            )
            for key in rows
        ]

    def change_all(self, form: ExpiryForm, rows: list[Key], by: User) -> str:
        fitting = [key for key in rows if key.revoked_at is None]
        for key in fitting:
            key.expires_at = form.cleaned_data["expires_at"]
            key.save(update_fields=["expires_at"])
        return f"{len(fitting)} key(s) changed, for the next request."


def shown_once(model_admin: Any, request: HttpRequest, key: Key, token: str) -> HttpResponse:
    """The one page that ever holds the token; it is kept neither in a session nor by the browser."""
    context = model_admin.admin_site.each_context(request) | {
        "title": "Your new key",
        "key": key,
        "token": token,
        "base_url": base_url(request),
        "opts": Key._meta,
    }
    response = TemplateResponse(request, "admin/accounting/key_shown.html", context)
    response["Cache-Control"] = "no-store"
    return response


@admin.register(Key)
class KeyAdmin(ModelAdmin):
    form = KeyForm
    list_display = ("shown", "user", "team", "state", "created_at", "expires_at", "last_used_at")
    list_filter = (LiveFilter, "team", "created_at")
    search_fields = ("name", "public_id", "user__username", "team__name")
    list_select_related = ("user", "team")
    autocomplete_fields = ("user", "team")
    actions = ("expire_selected", "revoke_selected")
    list_per_page = 50
    change_form_template = "admin/accounting/key.html"
    readonly_fields = ("shown", "state", "created_at", "last_used_at", "revoked_at", "replaces")

    def get_fieldsets(self, request: HttpRequest, obj: Key | None = None) -> Any:
        may = ("May", {"fields": ("scopes", "expires_at", "allowed_models", "allowed_networks")})
        if obj is None:
            return ((None, {"fields": ("name", "user", "team")}), may)
        facts = ("shown", "state", "created_at", "last_used_at", "revoked_at", "replaces")
        return ((None, {"fields": ("name", "user", "team")}), may, ("So far", {"fields": facts}))

    def get_readonly_fields(self, request: HttpRequest, obj: Key | None = None) -> Any:
        # Whose a key is stands on the ledger: another person gets another key.
        return (*self.readonly_fields, "user", "team") if obj else self.readonly_fields

    @display(description="Key", ordering="name")
    def shown(self, key: Key) -> str:
        return str(key)

    @display(description="State", label={"in use": "success", "expired": "warning", "revoked": "danger"})
    def state(self, key: Key) -> str:
        if key.revoked_at is not None:
            return "revoked"
        return "in use" if key.is_live else "expired"

    def save_model(self, request: HttpRequest, obj: Key, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made, token = mint(
            obj.user,
            team=obj.team,
            name=obj.name,
            expires_at=obj.expires_at,
            scopes=form.cleaned_data["scopes"],
            allowed_models=obj.allowed_models,
            allowed_networks=obj.allowed_networks,
        )
        obj.__dict__.update(made.__dict__)
        request.minted = token  # type: ignore[attr-defined]  # from here to response_add, and no further

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # After a key is made comes its token, whichever button was pressed.
        once = {"show_save_and_add_another": False, "show_save_and_continue": not kwargs.get("add", False)}
        return super().render_change_form(request, context | once, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Key, post_url_continue: str | None = None) -> HttpResponse:
        return shown_once(self, request, obj, request.minted)  # type: ignore[attr-defined]  # save_model put it there

    @admin.action(description="Set when they expire…", permissions=["change"])
    def expire_selected(self, request: HttpRequest, queryset: QuerySet[Key]) -> HttpResponse | None:
        return ask(self, request, queryset, "accounting_key_expiry")

    @admin.action(description="Revoke: refused from the next request on", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Key]) -> None:
        keys = list(queryset.filter(revoked_at=None))
        for key in keys:
            revoke(key)
        self.message_user(request, f"{len(keys)} key(s) revoked, from the next request on.")

    def has_delete_permission(self, request: HttpRequest, obj: Key | None = None) -> bool:
        return False  # revoked, never deleted: the record of who had which key stays

    def get_urls(self) -> list[URLPattern]:
        rotation = self.admin_site.admin_view(RotateView.as_view(model_admin=self))
        expiry = self.admin_site.admin_view(ExpiryView.as_view(model_admin=self))
        return [
            path("expiry/", expiry, name="accounting_key_expiry"),
            path("<int:pk>/rotate/", rotation, name="accounting_key_rotate"),
            path("<int:pk>/revoke/", self.admin_site.admin_view(self.revoke_view), name="accounting_key_revoke"),
            *super().get_urls(),
        ]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Revokes on POST; anything else only shows the key."""
        key = get_object_or_404(Key, pk=pk)
        if request.method == "POST" and self.has_change_permission(request, key):
            revoke(key)
            messages.success(request, "The key is revoked, from the next request on.")
        return redirect(reverse("admin:accounting_key_change", args=[pk]))
