"""When each reader was told what a study in two phases asks, and what they said too late."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

KEEP_FIRST_AWARE_READINGS = """
    INSERT INTO readings_unmasking (study_id, reader_id, at)
    SELECT slot.study_id, reading.reader_id, min(reading.created_at)
    FROM readings_reading AS reading JOIN studies_slot AS slot ON slot.id = reading.slot_id
    WHERE slot.phase = 'aware'
    GROUP BY slot.study_id, reading.reader_id;
"""
MARK_WHAT_CAME_TOO_LATE = """
    ALTER TABLE readings_reading DISABLE TRIGGER append_only;
    UPDATE readings_reading AS reading SET after_unmasking = true
    FROM studies_slot AS slot, readings_unmasking AS unmasking
    WHERE slot.id = reading.slot_id AND slot.phase = 'unaware'
        AND unmasking.study_id = slot.study_id AND unmasking.reader_id = reading.reader_id
        AND reading.created_at > unmasking.at;
    ALTER TABLE readings_reading ENABLE TRIGGER append_only;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0006_rebuilds_go_on_by_runs"),
        ("studies", "0008_allocation_in_plain_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="reading",
            name="after_unmasking",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="Unmasking",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "reader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unmaskings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unmaskings",
                        to="studies.study",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("study", "reader"), name="a_reader_is_unmasked_once_a_study"
                    )
                ],
            },
        ),
        migrations.RunSQL(KEEP_FIRST_AWARE_READINGS, migrations.RunSQL.noop),
        migrations.RunSQL(MARK_WHAT_CAME_TOO_LATE, migrations.RunSQL.noop),
    ]
