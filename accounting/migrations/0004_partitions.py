"""On PostgreSQL, the ledger becomes a table partitioned by month; its columns and indexes stay what they are."""

from datetime import UTC, date, datetime

from django.db import migrations

from accounting.uuids import first_of

TABLE = "accounting_ledgerentry"


def _months(first):
    """From the month of ``first`` to the second after this one; the ledger's writers make the later ones."""
    last = _following(_following(datetime.now(UTC).date().replace(day=1)))
    month = first.replace(day=1)
    while month <= last:
        yield month, _following(month)
        month = _following(month)


def _following(month):
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def partition(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    entry = apps.get_model("accounting", "LedgerEntry")
    execute = schema_editor.execute
    execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_plain")
    execute(f"CREATE TABLE {TABLE} (LIKE {TABLE}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id)")
    execute(f"CREATE TABLE {TABLE}_default PARTITION OF {TABLE} DEFAULT WITH (fillfactor = 80)")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(MIN(started_at), now()) FROM {TABLE}_plain")
        (earliest,) = cursor.fetchone()
    for month, following in _months(min(earliest.astimezone(UTC), datetime.now(UTC)).date()):
        begins, ends = (first_of(datetime(day.year, day.month, 1, tzinfo=UTC)) for day in (month, following))
        name = f"{TABLE}_{month:%Y_%m}"
        execute(f"CREATE TABLE {name} PARTITION OF {TABLE} FOR VALUES FROM ('{begins}') TO ('{ends}') WITH (fillfactor = 80)")
    execute(f"INSERT INTO {TABLE} SELECT * FROM {TABLE}_plain")
    execute(f"DROP TABLE {TABLE}_plain")
    execute(f"ALTER TABLE {TABLE} ADD PRIMARY KEY (id)")
    for index in entry._meta.indexes:
        schema_editor.add_index(entry, index)


def unite(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    entry = apps.get_model("accounting", "LedgerEntry")
    execute = schema_editor.execute
    execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_parts")
    execute(f"CREATE TABLE {TABLE} (LIKE {TABLE}_parts INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    execute(f"INSERT INTO {TABLE} SELECT * FROM {TABLE}_parts")
    execute(f"DROP TABLE {TABLE}_parts")
    execute(f"ALTER TABLE {TABLE} ADD PRIMARY KEY (id)")
    for index in entry._meta.indexes:
        schema_editor.add_index(entry, index)


class Migration(migrations.Migration):

    dependencies = [("accounting", "0003_gateway_error")]

    operations = [migrations.RunPython(partition, unite)]
