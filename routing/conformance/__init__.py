"""Conformance: the translation checks, run against a live mapping or provider, kept with their date.

``checks`` asks and judges, ``runs`` makes the calls, sums up and keeps what came of them.
"""

from .runs import CLIENT, latest, run, target_of

__all__ = ["CLIENT", "latest", "run", "target_of"]
