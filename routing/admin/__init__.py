"""The admin of providers, models and the mapping."""

from . import overview, providers, revisions, trying

__all__ = ["overview", "providers", "revisions", "trying"]
