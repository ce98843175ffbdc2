"""What two beats looked for is now a run that comes after others."""

from django.db import migrations

REPLACED = ("provenance.continue_rebuilds", "studies.follow_reward_models")


def forget_beats(apps, _):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task__in=REPLACED).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0003_what_runs_come_after"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(forget_beats, migrations.RunPython.noop)]
