"""The generation: one number that moves, in the same transaction, with every change a request must obey.

A worker answers from memory and remembers the generation it read that from. The transaction that opens a request's
ledger row reads the number again: if it has moved, the worker reads anew and the request starts over. So a change in
the admin, or a revoked key, is in force for the very next request of every worker, with no message bus to trust.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection, models, transaction
from django.db.models import F


class Generation(models.Model):
    """A single row; ``value`` grows by one with each announced change."""

    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def read(cls) -> int:
        """Raises DoesNotExist before the first migration has run to its end, and django.db.Error."""
        with connection.cursor() as cursor:  # plain SQL: it is read with every transaction of the ledger
            cursor.execute(f"SELECT value FROM {cls._meta.db_table} WHERE id = 1")  # noqa: S608 (our own names)
            row = cursor.fetchone()
        if row is None:
            raise cls.DoesNotExist("The generation is missing: a migration makes it.")
        return int(row[0])

    @classmethod
    def bump(cls) -> None:
        """Announces a change made in the current transaction; seen by others when that commits."""
        cls.objects.filter(pk=1).update(value=F("value") + 1)


class AnnouncingQuerySet(models.QuerySet[Any]):
    """Bulk writes announce themselves too."""

    def update(self, **kwargs: Any) -> int:
        if set(kwargs) <= self.model.unannounced:
            return super().update(**kwargs)
        with transaction.atomic(using=self.db):
            Generation.bump()
            return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            Generation.bump()
            return super().delete()

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[Any]:
        with transaction.atomic(using=self.db):
            Generation.bump()
            return super().bulk_create(*args, **kwargs)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            Generation.bump()
            return super().bulk_update(*args, **kwargs)


class Announcing(models.Model):
    """A row that requests obey: every write to it moves the generation, in the same transaction.

    ``unannounced`` names columns no request depends on, whose lone update is silent.
    """

    unannounced: frozenset[str] = frozenset()

    objects = models.Manager.from_queryset(AnnouncingQuerySet)()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if update_fields is not None and set(update_fields) <= self.unannounced:
            super().save(*args, update_fields=update_fields, **kwargs)
            return
        with transaction.atomic():
            super().save(*args, update_fields=update_fields, **kwargs)
            Generation.bump()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            Generation.bump()
            return super().delete(*args, **kwargs)
