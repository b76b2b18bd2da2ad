"""The test database, for a process beside the tests'."""

from __future__ import annotations

import os
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


def environment() -> dict[str, str]:
    """The environment in which ``manage.py`` and ``python -m`` work on the database that the tests are using."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{config['NAME']}"
    else:
        login = config["USER"] + (f":{config['PASSWORD']}" if config["PASSWORD"] else "")
        url = f"postgres://{login}@{config['HOST'] or '127.0.0.1'}:{config['PORT'] or 5432}/{config['NAME']}"
    return {
        **os.environ,
        "ENV_FILE": os.devnull,
        "DATABASE_URL": url,
        "SECRET_KEY": "not-a-secret-" * 5,
        "DJANGO_SETTINGS_MODULE": "proxysite.settings",
    }
