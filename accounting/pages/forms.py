"""Forms of the pages, and how a form is drawn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounting.models import Team

from .access import Standing


class KeyForm(forms.Form):
    """A new key of one's own. ``team`` is asked for only where there is a choice."""

    name = forms.CharField(
        max_length=100,
        initial="laptop",
        help_text="Where you will use it: you will tell keys apart by this.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label="Ends",
        coerce=int,
        initial=90,
        choices=[(30, "in 30 days"), (90, "in 90 days"), (365, "in a year"), (0, "never")],
    )

    def __init__(self, standing: Standing, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(standing.places) > 1:
            self.fields["team"] = forms.TypedChoiceField(
                coerce=int,
                choices=[(place.team_id, place.team_name) for place in standing.places],
                help_text="Whose budget it draws on.",
            )

    @property
    def expires_at(self) -> datetime | None:
        days: int = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None

    @property
    def chosen_team(self) -> Team | None:
        """None where there was no choice: such a key follows the person's first team."""
        team_id = self.cleaned_data.get("team")
        return None if team_id is None else Team.objects.get(pk=team_id)


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        label="The old key lives on for",
        coerce=int,
        initial=24,
        choices=[(0, "no time: it ends now"), (1, "an hour"), (24, "a day"), (168, "a week")],
    )

    @property
    def grace(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])
