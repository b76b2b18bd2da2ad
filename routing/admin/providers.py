"""Providers with their write-only keys, and their known models."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from accounting.admin.page import Page, actor
from routing import board, catalog, conformance, credentials, first_start, hosts
from routing.models import Credential, Model, Provider

from .discovery import DiscoverView

_GRACE = {"0": "end at once", "1": "stay for an hour", "24": "stay for a day", "168": "stay for a week"}  # hours
_STATES = {"on": "success", "off": "warning"}


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes no parameter when it runs
    """A provider, and a key to put in use; no key is ever shown."""

    new_key = forms.CharField(
        required=False,
        label="API key",
        max_length=4000,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Write-only: it is encrypted when saved and cannot be read back. Leave empty to keep what is there.",
    )
    grace = forms.ChoiceField(
        choices=list(_GRACE.items()),
        initial="24",
        required=False,
        widget=UnfoldAdminSelectWidget(),
        label="The key before it is to",
        help_text="While it stays, it can be put back in use below.",
    )

    class Meta:
        model = Provider
        fields = (
            "name",
            "dialect",
            "base_url",
            "enabled",
            "reasoning_dialect",
            "litellm_provider",
            "price_family",
            "headers",
            "quirks",
        )


class CredentialInline(TabularInline):
    """Which keys there are: four characters of each, and until when."""

    model = Credential
    verbose_name_plural = "keys"
    fields = readonly_fields = ("hint", "created_at", "state", "again")
    extra = 0
    max_num = 0
    can_delete = True

    @display(description="State", label={"in use": "success", "in its grace time": "warning", "ended": "danger"})
    def state(self, credential: Credential) -> str:
        if credential.retired_at is None:
            return "in use"
        return "in its grace time" if credential.is_live else "ended"

    @display(description="")
    def again(self, credential: Credential) -> SafeString | str:
        if credential.retired_at is None or not credential.is_live:
            return ""
        url = reverse("admin:routing_credential_reinstate", args=[credential.pk])
        until = timezone.localtime(credential.retired_at)
        return format_html('until {} · <a href="{}">put back in use…</a>', until.strftime("%Y-%m-%d %H:%M"), url)


class ReinstateView(Page):
    """Asks, then puts an older key back in use."""

    title = "Put a key back in use"
    permission_required = ("routing.change_provider",)
    template_name = "admin/routing/reinstate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        credential = get_object_or_404(Credential.objects.select_related("provider"), pk=self.kwargs["pk"])
        return super().get_context_data(credential=credential, **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        credential = get_object_or_404(Credential, pk=pk)
        if credential.is_live:
            credentials.reinstate(credential)
            messages.success(request, f"The key {credential.hint} is in use again.")
        else:
            messages.error(request, "Its grace time is over: enter the key anew.")
        return redirect("admin:routing_provider_change", credential.provider_id)


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    form = ProviderForm
    inlines = (CredentialInline,)
    change_form_template = "admin/routing/provider.html"
    list_display = ("name", "dialect", "base_url", "on", "key", "known_models", "last_hour", "checked")
    list_filter = ("enabled", "dialect")
    search_fields = ("name", "base_url")
    actions = ("switch_on", "switch_off", "add_current_models")
    fieldsets = (
        (None, {"fields": ("name", "dialect", "base_url", "enabled")}),
        ("Key", {"fields": ("new_key", "grace")}),
        (
            "How it departs from its dialect",
            {
                "classes": ("collapse",),
                "fields": ("reasoning_dialect", "litellm_provider", "price_family", "headers", "quirks", "known"),
            },
        ),
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        listed = super().get_changelist_instance(request)
        health, runs = board.health_by("provider"), conformance.latest()
        for provider in listed.result_list:
            provider.health = health.get(provider.name, board.Health())
            provider.runs = [run for (name, _), run in runs.items() if name == provider.name]
        return listed

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        providers: QuerySet[Provider] = super().get_queryset(request)
        return providers.annotate(n_models=Count("models")).prefetch_related("credentials")

    @display(description="State", ordering="enabled", label=_STATES)
    def on(self, provider: Provider) -> str:
        return "on" if provider.enabled else "off"

    @display(description="Key")
    def key(self, provider: Provider) -> SafeString:
        hint = next((one.hint for one in provider.credentials.all() if one.retired_at is None), "–")
        return format_html('<span class="tg-moment">{}</span>', hint)

    @display(description="Models", ordering="n_models")
    def known_models(self, provider: Provider) -> SafeString:
        url = reverse("admin:routing_model_changelist") + f"?provider__id__exact={provider.pk}"
        return format_html('<a href="{}">{}</a>', url, provider.n_models)  # type: ignore[attr-defined]  # put there for the list

    @display(description="Last hour", label={"good": "success", "warn": "warning", "bad": "danger"})
    def last_hour(self, provider: Provider) -> tuple[str, str]:
        health: board.Health = provider.health  # type: ignore[attr-defined]  # put there for the list
        said = f"{health.requests:,} requests, {health.failed:,} failed" if health.requests else "not asked"
        return health.mood, said

    @display(description="Checked", label={"good": "success", "warn": "warning", "bad": "danger"})
    def checked(self, provider: Provider) -> tuple[str, str]:
        """The newest run against any of its models."""
        run = max(provider.runs, key=lambda one: one.pk, default=None)  # type: ignore[attr-defined]  # put there for the list
        if run is None:
            return "", "not yet"
        return run.mood, f"{run.model}: {run.passed} of {run.passed + run.failed}, {timezone.localtime(run.at):%-d %b}"

    def get_readonly_fields(self, request: HttpRequest, obj: Provider | None = None) -> tuple[str, ...]:
        # The ledger, the mapping's history and people's prefixes know a provider by its name.
        return ("name", "known") if obj else ("known",)

    @display(description="Known of this host")
    def known(self, provider: Provider | None) -> str:
        """What holds without being set above, where it does not say otherwise."""
        quirks = hosts.known(provider.dialect, provider.base_url).quirks if provider else {}
        return ", ".join(f"{name}: {value}" for name, value in quirks.items()) or "–"

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        value = form.cleaned_data.get("new_key", "").strip()
        first_key = bool(value) and not (change and obj.credentials.exists())
        if first_key and change and not obj.enabled:
            obj.enabled = True
            messages.info(request, f"'{obj}' has its first key, so it is switched on.")
        super().save_model(request, obj, form, change)
        if value:
            credentials.store(obj, value, grace=timedelta(hours=int(form.cleaned_data.get("grace") or 24)))
            messages.success(request, f"The new key of '{obj}' is in use, for the next request.")
        if not change and obj.price_family:
            first_start.add_known_models(obj)
        self._leave_demo(request, obj)

    def _leave_demo(self, request: HttpRequest, provider: Provider) -> None:
        if first_start.leave_demo(provider, actor(request)):
            messages.info(request, f"The demo has stepped aside: the mapping leads to '{provider}' now. See the board.")

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            provider.enabled = True
            provider.save(update_fields=["enabled"])
            self._leave_demo(request, provider)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            provider.enabled = False
            provider.save(update_fields=["enabled"])

    @admin.action(description="Add the current models of LiteLLM's list", permissions=["change"])
    def add_current_models(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            if provider.price_family:
                messages.success(request, f"{provider}: {first_start.add_known_models(provider)} new models.")
            else:
                messages.warning(request, f"{provider} has no price family to look up in LiteLLM's list.")

    def get_urls(self) -> list[URLPattern]:
        reinstate = self.admin_site.admin_view(ReinstateView.as_view(model_admin=self))
        discover = self.admin_site.admin_view(DiscoverView.as_view(model_admin=self))
        return [
            path("credential/<int:pk>/reinstate/", reinstate, name="routing_credential_reinstate"),
            path("<int:pk>/discover/", discover, name="routing_provider_discover"),
            *super().get_urls(),
        ]


@admin.register(Model)
class ModelAdmin_(ModelAdmin):  # noqa: N801 - Model is the domain's word, ModelAdmin Django's
    list_display = ("name", "provider", "on", "context", "output", "thinking")
    list_filter = ("provider", "enabled", "dialect")
    search_fields = ("name", "display_name", "provider__name")
    list_select_related = ("provider",)
    autocomplete_fields = ("provider",)
    actions = ("switch_on", "switch_off")
    list_per_page = 50
    readonly_fields = ("listed",)
    fieldsets = (
        (None, {"fields": ("provider", "name", "display_name", "enabled")}),
        ("What it can do", {"fields": ("listed", "dialect", "context_window", "max_output", "capabilities")}),
    )

    @display(description="State", ordering="enabled", label=_STATES)
    def on(self, model: Model) -> str:
        return "on" if model.enabled else "off"

    @display(description="Context window", ordering="context_window")
    def context(self, model: Model) -> str:
        return _size(model.context_window or _listed(model).context_window)

    @display(description="Longest answer", ordering="max_output")
    def output(self, model: Model) -> str:
        return _size(model.max_output or _listed(model).max_output)

    @display(description="Takes thinking as")
    def thinking(self, model: Model) -> str:
        return str(model.capabilities.get("reasoning", _listed(model).reasoning))

    @display(description="LiteLLM's list says")
    def listed(self, model: Model) -> str:
        if not model.pk:
            return "–"
        can = _listed(model)
        return (
            f"context window {_size(can.context_window)}, longest answer {_size(can.max_output)}, thinking as "
            f"{can.reasoning}, images {'yes' if can.vision else 'no'}, PDF {'yes' if can.pdf else 'no'}. "
            "What is set below has the last word."
        )

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        self._switch(request, queryset, True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        self._switch(request, queryset, False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Model], on: bool) -> None:
        for model in queryset:
            model.enabled = on
            model.save(update_fields=["enabled"])
        messages.success(request, f"{len(queryset)} model(s) switched {'on' if on else 'off'}, for the next request.")


def _listed(model: Model) -> Any:
    provider = model.provider
    return catalog.capabilities(provider.price_family, model.name, model.dialect or provider.dialect)


def _size(tokens: int | None) -> str:
    return f"{tokens:,}" if tokens else "not known"
