"""The mapping board as a form: what it holds is a mapping's snapshot."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounting.models import Team, User
from routing.mapping import Snapshot
from routing.models import Provider

_TEAM = "team "


class TierForm(forms.Form):
    """One tier. A blank model hands the asked name on."""

    name = forms.RegexField(r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=40, label="Tier")
    provider = forms.ModelChoiceField(Provider.objects.all(), to_field_name="name", empty_label="–")
    model = forms.CharField(max_length=200, required=False, label="Model")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].widget.attrs |= {"list": "known-models", "placeholder": "(the name as asked)"}
        if self.initial.get("name"):
            self.fields["name"].widget.attrs["readonly"] = True


class OverrideForm(forms.Form):
    """For one person or team, a tier or a pattern of names leads elsewhere."""

    whom = forms.CharField(max_length=160, label="For", widget=forms.TextInput({"list": "people"}))
    what = forms.CharField(max_length=200, label="Tier or names", widget=forms.TextInput({"list": "tiers"}))
    provider = forms.ModelChoiceField(Provider.objects.all(), to_field_name="name", empty_label="–")
    model = forms.CharField(max_length=200, required=False, widget=forms.TextInput({"list": "known-models"}))

    def clean_whom(self) -> str:
        whom: str = self.cleaned_data["whom"].strip()
        if whom.startswith(_TEAM):
            if not Team.objects.filter(name=whom.removeprefix(_TEAM)).exists():
                raise ValidationError(f"There is no team '{whom.removeprefix(_TEAM)}'.")
        elif not User.objects.filter(username=whom).exists():
            raise ValidationError(f"There is no user '{whom}'. For a team, write: team NAME")
        return whom


TierForms = forms.formset_factory(TierForm, extra=1, can_delete=True)
OverrideForms = forms.formset_factory(OverrideForm, extra=1, can_delete=True)


class PatternsForm(forms.Form):
    """Which names lead to which tier, one to a line, first match first; and why all of it is changed."""

    patterns = forms.CharField(
        widget=forms.Textarea({"rows": 6, "spellcheck": "false"}), label="Names, first match wins"
    )
    reason = forms.CharField(
        max_length=500, required=False, widget=forms.TextInput({"placeholder": "Why? Kept with the revision."})
    )

    def clean_patterns(self) -> list[list[str]]:
        found: dict[str, list[str]] = {}
        for line in self.cleaned_data["patterns"].splitlines():
            words = line.replace("→", " ").replace("->", " ").split()
            if not words:
                continue
            if len(words) != 2:
                raise ValidationError(f"'{line.strip()}' is not of the form: names → TIER")
            if words[0] in found:
                raise ValidationError(f"'{words[0]}' stands there twice.")
            found[words[0]] = words
        return list(found.values())


class BoardForm:
    """The whole board: its parts are valid by themselves, and together."""

    def __init__(self, taken: Snapshot, data: Any = None) -> None:
        self.tiers = TierForms(data, prefix="tier", initial=_tier_rows(taken))
        self.overrides = OverrideForms(data, prefix="override", initial=_override_rows(taken))
        lines = "\n".join(f"{pattern} → {tier}" for pattern, tier in taken["patterns"])
        self.names = PatternsForm(data, initial={"patterns": lines})
        self.problems: list[str] = []
        for kind, rows in (("Tier", self.tiers), ("Override", self.overrides)):
            for number, row in enumerate(rows, start=1):
                for name, field in row.fields.items():
                    said = "remove" if name == "DELETE" else field.label or name
                    field.widget.attrs["aria-label"] = f"{kind} {number}, {said}"

    def is_valid(self) -> bool:
        if not all([self.tiers.is_valid(), self.overrides.is_valid(), self.names.is_valid()]):
            return False
        names = [row["name"] for row in _kept(self.tiers)]
        if len(names) != len(set(names)):
            self.problems.append("Two tiers have the same name.")
        for pattern, tier in self.names.cleaned_data["patterns"]:
            if tier not in names:
                self.problems.append(f"'{pattern}' leads to the tier '{tier}', which there is not.")
        return not self.problems

    def snapshot(self) -> Snapshot:
        """The mapping that the form asks for."""
        tiers = {
            row["name"]: {"provider": row["provider"].name, "model": row["model"].strip(), "position": position}
            for position, row in enumerate(_kept(self.tiers))
        }
        return {
            "tiers": tiers,
            "patterns": self.names.cleaned_data["patterns"],
            "overrides": [
                {
                    "user": "" if row["whom"].startswith(_TEAM) else row["whom"],
                    "team": row["whom"].removeprefix(_TEAM) if row["whom"].startswith(_TEAM) else "",
                    "tier": row["what"] if row["what"] in tiers else "",
                    "pattern": "" if row["what"] in tiers else row["what"],
                    "provider": row["provider"].name,
                    "model": row["model"].strip(),
                }
                for row in _kept(self.overrides)
            ],
        }


def _kept(forms_: Any) -> list[dict[str, Any]]:
    return [data for data in forms_.cleaned_data if data and not data.get("DELETE")]


def _tier_rows(taken: Snapshot) -> list[dict[str, str]]:
    return [
        {"name": name, "provider": tier["provider"], "model": tier["model"]} for name, tier in taken["tiers"].items()
    ]


def _override_rows(taken: Snapshot) -> list[dict[str, str]]:
    return [
        {
            "whom": row["user"] or _TEAM + row["team"],
            "what": row["tier"] or row["pattern"],
            "provider": row["provider"],
            "model": row["model"],
        }
        for row in taken["overrides"]
    ]
