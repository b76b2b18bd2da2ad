"""Conformance: the translation checks, run against a live mapping or provider, kept with their date.

``checks`` asks and judges, ``runs`` makes the calls, sums up and keeps what came of them.
"""

from .runs import CLIENT, UnderWay, bury, latest, run, start, target_of

__all__ = ["CLIENT", "UnderWay", "bury", "latest", "run", "start", "target_of"]
