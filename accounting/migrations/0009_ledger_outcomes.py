"""An index of what did not end well, so that the rare is found among millions; requests go on while it is built."""

from django.db import migrations, models

TABLE = "accounting_ledgerentry"


class AddIndexOfPartitions(migrations.AddIndex):
    """On PostgreSQL partition by partition and concurrently, which an index of the whole cannot be."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        entry = to_state.apps.get_model(app_label, self.model_name)
        whole = str(self.index.create_sql(entry, schema_editor))
        name = self.index.name
        schema_editor.execute(whole.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS").replace(" ON ", " ON ONLY ", 1))
        for partition in self._without(schema_editor, name):
            of_one = f"{partition}_{name}"
            schema_editor.execute(f'DROP INDEX IF EXISTS "{of_one}"')  # of a migration that was broken off
            concurrently = whole.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY")
            schema_editor.execute(concurrently.replace(f'"{name}"', f'"{of_one}"').replace(f'"{TABLE}"', f'"{partition}"'))
            schema_editor.execute(f'ALTER INDEX "{name}" ATTACH PARTITION "{of_one}"')

    @staticmethod
    def _without(schema_editor, name):
        """The partitions that have no part of the index. One that is made from now on has it from the beginning."""
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
                " WHERE inhparent = %s::regclass AND NOT EXISTS (SELECT 1 FROM pg_index part"
                " JOIN pg_inherits attached ON attached.inhrelid = part.indexrelid"
                " WHERE part.indrelid = child.oid AND attached.inhparent = to_regclass(%s)) ORDER BY child.relname",
                [TABLE, name],
            )
            return [row[0] for row in cursor.fetchall()]


class Migration(migrations.Migration):

    atomic = False  # CREATE INDEX CONCURRENTLY

    dependencies = [("accounting", "0008_summaries")]

    operations = [
        AddIndexOfPartitions(
            "ledgerentry",
            models.Index(
                condition=models.Q(("outcome", "complete"), _negated=True) & models.Q(("outcome", ""), _negated=True),
                fields=["outcome", "started_at"],
                name="ledger_outcome_time",
            ),
        ),
    ]
