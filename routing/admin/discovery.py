"""Discover models: what a provider lists, beside what is known here, to take over by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounting.admin.page import Page
from routing import discovery
from routing.models import Provider


class DiscoverView(Page):
    """Asks the provider when it is opened, and again when the choice comes back: nothing is taken on trust."""

    title = "Discover models"
    permission_required = ("routing.change_provider", "routing.add_model", "routing.change_model")
    template_name = "admin/routing/discover.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        provider = get_object_or_404(Provider, pk=self.kwargs["pk"])
        try:
            kwargs["found"] = discovery.discover(provider)
        except discovery.NotListed as error:
            kwargs["failure"] = error
        return super().get_context_data(provider=provider, **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        provider = get_object_or_404(Provider, pk=pk)
        try:
            found = discovery.discover(provider)
        except discovery.NotListed as error:
            messages.error(request, f"{provider}: {error.message}")
            return redirect("admin:routing_provider_discover", pk)
        added, gone = discovery.apply(provider, found, request.POST.getlist("add"), request.POST.getlist("switch_off"))
        messages.success(request, f"{provider}: {added} model(s) added, {gone} switched off, for the next request.")
        return redirect("admin:routing_provider_change", pk)
