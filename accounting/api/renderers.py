"""Reports as CSV: the ``results`` of an answer, one line each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from rest_framework.renderers import BaseRenderer, JSONRenderer

from accounting.csvfiles import inert


class CSVRenderer(BaseRenderer):
    """``?format=csv`` or ``Accept: text/csv``. Errors stay JSON objects, on one line."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        response = renderer_context["response"] if renderer_context else None
        if not isinstance(data, Mapping) or "results" not in data:
            if response is not None:
                response["Content-Type"] = "application/json"
            rendered: bytes = JSONRenderer().render(data)
            return rendered
        if response is not None:
            response["Content-Disposition"] = 'attachment; filename="tollgate-usage.csv"'
        rows = [flat(row) for row in data["results"]]
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode()


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose texts no spreadsheet takes for a formula; what lies inside a value has columns of its own."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= {f"{name}_{inner}": inert(each) for inner, each in value.items()}
        else:
            found[name] = inert(value)
    return found


WITH_CSV: Final = [JSONRenderer, CSVRenderer]
