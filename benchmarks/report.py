"""The figures as a table for people and as JSON for programs, with the ratios that the targets are about."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

Row = dict[str, Any]
_PACKAGES = ("Django", "channels", "uvicorn", "uvloop", "httptools", "aiohttp", "orjson", "psycopg", "litellm")
_HIDDEN = ("row", "column")


def document(rows: Sequence[Row], notes: Sequence[str]) -> dict[str, Any]:
    """All there is to know of one run."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "processor": _processor(),
            "system": f"{platform.system()} {platform.machine()}",
            "load_before": [round(value, 2) for value in os.getloadavg()],
        },
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "notes": list(notes),
        "rows": list(rows),
        "ratios": ratios(rows),
    }


def ratios(rows: Iterable[Row]) -> list[Row]:
    """The gateway against every other column, row by row: throughput as a factor, first deltas as time added."""
    by_row: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_row.setdefault(row["row"], {})[row["column"]] = row
    found: list[Row] = []
    for name, columns in by_row.items():
        ours = columns.get("this gateway")
        for other, theirs in columns.items():
            if ours is None or theirs is ours:
                continue
            if rate := theirs.get("requests_per_second"):
                found.append({"row": name, "against": other, "factor": round(ours["requests_per_second"] / rate, 2)})
            elif "first_delta_ms_p50" in theirs and other == "direct":
                added = {
                    f"added_ms_{share}": round(ours[f"first_delta_ms_{share}"] - theirs[f"first_delta_ms_{share}"], 2)
                    for share in ("p50", "p99")
                }
                found.append({"row": name, "against": other} | added)
    return found


def table(rows: Iterable[Row]) -> str:
    """Every row's figures, one line a column."""
    lines: list[str] = []
    last = ""
    for row in rows:
        if row["row"] != last:
            last = row["row"]
            lines.append(f"\n{last}")
        figures = "  ".join(f"{name} {value}" for name, value in row.items() if name not in _HIDDEN)
        lines.append(f"    {row.get('column', ''):<16} {figures}")
    return "\n".join(lines)


def write(found: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
