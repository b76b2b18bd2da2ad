from __future__ import annotations

import ast
from pathlib import Path

import accounting.reports

TABLES = {"DailyUsage", "HourlyUsage", "LedgerEntry"}


def test_only_the_selection_reaches_the_tables() -> None:
    """A report that imports a table could forget who is asking; names for types alone do no harm."""
    folder = Path(accounting.reports.__file__).parent
    users = {}
    for path in folder.glob("*.py"):
        used = {
            node.value.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in ("objects", "_default_manager")
        }
        if used & TABLES:
            users[path.name] = used & TABLES
    assert users == {"selection.py": TABLES}
