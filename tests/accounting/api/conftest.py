from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from tests.accounting.company import Company

As = Callable[[str], APIClient]


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


@pytest.fixture
def as_(company: Company) -> As:
    """A client with the key of somebody, by name; without any for "anonymous"."""

    def client(who: str) -> APIClient:
        made = APIClient()
        if who != "anonymous":
            made.credentials(HTTP_AUTHORIZATION=f"Bearer {company.tokens[who]}")
        return made

    return client
