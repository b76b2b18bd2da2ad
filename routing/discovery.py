"""What a provider offers by its own list, beside what is known of it here."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from . import catalog
from .models import Model, Provider
from .table import load
from .upstream import http, models
from .upstream.dialect import Listed
from .upstream.errors import UpstreamError
from .upstream.target import Target
from .upstream.words import own_words


class NotListed(Exception):
    """The provider gave no list. ``message`` is in its own words where it had any, ``status`` its HTTP status."""

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Discovery:
    """``new`` and ``aside`` are on the provider's list alone; those aside hold no conversation, by all that is known.

    ``known`` are on both lists. ``gone`` are known here and enabled, and the provider does not list them (any more).
    """

    new: tuple[Listed, ...]
    aside: tuple[Listed, ...]
    known: tuple[str, ...]
    gone: tuple[str, ...]


def discover(provider: Provider) -> Discovery:
    """Asks the provider and compares. Blocking: for a thread, never for an event loop's. Raises NotListed."""
    host = load().hosts[provider.name]
    listed = _ask(host.target(""))
    rows = dict(provider.models.values_list("name", "enabled"))
    new = [model for model in listed if not {model.name, catalog.without_date(model.name)} & set(rows)]
    names = {model.name for model in listed}
    names |= {catalog.without_date(name) for name in names}
    return Discovery(
        new=tuple(model for model in new if _converses(model)),
        aside=tuple(model for model in new if not _converses(model)),
        known=tuple(sorted(name for name in rows if name in names)),
        gone=tuple(sorted(name for name, enabled in rows.items() if enabled and name not in names)),
    )


def apply(provider: Provider, found: Discovery, add: Collection[str], switch_off: Collection[str]) -> tuple[int, int]:
    """Makes the chosen of ``found``'s new models known and switches the chosen of its gone ones off; how many each.

    A name that is not among them is passed over. Sizes on the list are kept only where LiteLLM's knows nothing.
    """
    added = [model for model in (*found.new, *found.aside) if model.name in add]
    with transaction.atomic():
        for model in added:
            listed_elsewhere = catalog.find(provider.price_family, model.name) is not None
            Model.objects.create(
                provider=provider,
                name=model.name,
                display_name=model.display_name or catalog.display_name(model.name),
                context_window=None if listed_elsewhere else model.context_window,
                max_output=None if listed_elsewhere else model.max_output,
            )
        gone = list(provider.models.filter(name__in=set(found.gone) & set(switch_off), enabled=True))
        for row in gone:
            row.enabled = False
            row.save(update_fields=["enabled"])
    return len(added), len(gone)


def _converses(model: Listed) -> bool:
    return model.converses and catalog.may_converse(model.name)


def _ask(target: Target) -> tuple[Listed, ...]:
    async def ask() -> tuple[Listed, ...]:
        try:
            return await models.offered(target)
        finally:
            await http.close()

    try:
        listed = asyncio.run(ask())
    except UpstreamError as error:
        raise NotListed(own_words(error, target), error.provider_status) from error
    # The columns of a known model's row.
    return tuple(model for model in listed if len(model.name) <= 200 and len(model.display_name) <= 200)
