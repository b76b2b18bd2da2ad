"""A run of the checks is a row from its beginning on; those kept so far are finished."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("routing", "0002_conformance"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "conformance",
            "state",
            models.CharField(
                choices=[("running", "Running"), ("finished", "Finished"), ("interrupted", "Interrupted")],
                default="finished",
                max_length=11,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "conformance",
            "seen_at",
            models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AlterField("conformance", "seen_at", models.DateTimeField()),
        migrations.AlterField("conformance", "duration_ms", models.PositiveIntegerField(null=True)),
        migrations.AlterField("conformance", "passed", models.PositiveSmallIntegerField(default=0)),
        migrations.AlterField("conformance", "failed", models.PositiveSmallIntegerField(default=0)),
        migrations.AlterField("conformance", "skipped", models.PositiveSmallIntegerField(default=0)),
        migrations.AddConstraint(
            "conformance",
            models.UniqueConstraint(
                condition=models.Q(("state", "running")),
                fields=("provider", "model"),
                name="one_run_of_a_model_at_a_time",
            ),
        ),
    ]
