"""Rebuilds that were asked for go on by a run, which looks what it has to wait for."""

from django.db import migrations


def go_on(apps, _):
    Retraction = apps.get_model("readings", "Retraction")
    Run = apps.get_model("runs", "Run")
    for retraction in Retraction.objects.filter(rebuild_asked_at__isnull=False, undone_at=None):
        Run.objects.create(
            kind="continue_rebuild",
            queue="cpu",
            title="Go on rebuilding without retracted readings",
            spec={"retraction": str(retraction.pk)},
            created_by=retraction.rebuild_asked_by,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0005_retractions"),
        ("runs", "0003_what_runs_come_after"),
    ]
    operations = [migrations.RunPython(go_on, migrations.RunPython.noop)]
