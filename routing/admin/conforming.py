"""Conformance: run the translation checks against a tier or a model, and see what came of earlier runs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounting.admin.page import Page, actor
from routing import conformance, standin
from routing.errors import RoutingError
from routing.models import Conformance, Model, Tier
from routing.table import load

_KEPT_IN_VIEW = 20  # runs listed


class TargetForm(forms.Form):
    target = forms.CharField(
        max_length=256,
        label="Tier or model",
        widget=forms.TextInput({"list": "targets", "placeholder": "BIG, or openai/gpt-5.1"}),
    )


class ConformanceView(Page):
    """A GET shows runs (``?run=7`` one of them in full), a POST begins one: about a dozen real calls."""

    title = "Conformance"
    permission_required = ("routing.view_tier",)
    template_name = "admin/routing/conformance.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        conformance.bury()
        chosen = self.request.GET.get("run", "")
        runs = Conformance.objects.all()
        shown = runs.filter(pk=int(chosen)).first() if chosen.isdecimal() and len(chosen) < 19 else runs.first()
        kwargs.setdefault("form", TargetForm(initial={"target": self.request.GET.get("target", "")}))
        models = Model.objects.filter(enabled=True, provider__enabled=True).select_related("provider")
        return super().get_context_data(
            shown=shown,
            runs=runs[:_KEPT_IN_VIEW],
            targets=[*Tier.objects.values_list("name", flat=True), *map(str, models)],
            may_run=self.request.user.has_perm("routing.change_tier"),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        form = TargetForm(request.POST)
        if not request.user.has_perm("routing.change_tier"):
            form.add_error(None, "You may look at runs, and not make one.")
        if form.is_valid():
            by = actor(request)
            caller = standin.for_user(by)
            try:
                found = conformance.target_of(load(), caller, form.cleaned_data["target"].strip())
            except RoutingError as error:
                form.add_error("target", error.message)
            else:
                run = conformance.start(found, caller, by)
                return redirect(f"{reverse('admin:routing_tier_conformance')}?run={run.pk}")
        return self.render_to_response(self.get_context_data(form=form))
