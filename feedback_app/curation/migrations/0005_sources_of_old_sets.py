"""Name the sources of sets that were made before there were any; sources never change."""

from django.db import migrations

from feedback_app.append_only import refuse_changes


def name_sources(apps, schema_editor):
    """From the readings that there were when a set was made."""
    CuratedSet = apps.get_model("curation", "CuratedSet")
    CuratedSource = apps.get_model("curation", "CuratedSource")
    Reading = apps.get_model("readings", "Reading")
    for curated_set in CuratedSet.objects.all():
        readings = Reading.objects.filter(
            slot__study__in=curated_set.rules["studies"],
            is_simulated=curated_set.is_simulated,
            skip_reason="",
            created_at__lte=curated_set.created_at,
        )
        CuratedSource.objects.bulk_create(
            CuratedSource(curated_set=curated_set, study_id=study, reader_id=reader)
            for study, reader in readings.order_by()
            .values_list("slot__study", "reader")
            .distinct()
        )


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0004_replacements_and_sources"),
        ("readings", "0003_answers_of_all_modes"),
    ]
    operations = [
        migrations.RunPython(name_sources, migrations.RunPython.noop),
        refuse_changes("curation", tables=("curatedsource",)),
    ]
