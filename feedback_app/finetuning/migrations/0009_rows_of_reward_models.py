"""Reward models that were known by their runs' specs, and fine-tunes by a location, get rows."""

from typing import Any

from django.db import migrations

SUCCEEDED = "succeeded"
REWARD_MODEL, CLASSIFIER = "reward-model", "classifier"


def make_rows(apps: Any, _: Any) -> None:
    Run = apps.get_model("runs", "Run")
    Scorer = apps.get_model("images", "Scorer")
    Snapshot = apps.get_model("finetuning", "Snapshot")
    RewardModel = apps.get_model("finetuning", "RewardModel")
    # The newest training that succeeded under a scorer's name is the one that gave it.
    given: dict[str, Any] = {}
    trainings = list(Run.objects.filter(kind="train_reward_model").order_by("created_at"))
    for run in trainings:
        if run.state == SUCCEEDED:
            given[run.spec["name"]] = run.pk
    for run in trainings:
        spec = run.spec
        if not Snapshot.objects.filter(pk=spec["snapshot"]).exists():
            continue
        scorer = None
        if given.get(spec["name"]) == run.pk:
            scorer = Scorer.objects.filter(name=spec["name"], kind=REWARD_MODEL).first()
        trunk = spec.get("trunk", "")
        RewardModel.objects.create(
            name=spec["name"],
            run=run,
            snapshot_id=spec["snapshot"],
            trunk=trunk,
            trunk_scorer=Scorer.objects.filter(location=trunk, kind=CLASSIFIER).first(),
            settings=spec.get("settings", {}),
            scorer=scorer,
            replaces=RewardModel.objects.filter(scorer=spec.get("replaces")).first(),
            created_at=run.created_at,
        )


def name_climbed(apps: Any, _: Any) -> None:
    """A location that no scorer has stays among the settings: it is still what was climbed."""
    Scorer = apps.get_model("images", "Scorer")
    FineTune = apps.get_model("finetuning", "FineTune")
    for row in FineTune.objects.filter(settings__has_key="reward_model"):
        climbed = Scorer.objects.filter(
            location=row.settings["reward_model"], kind=REWARD_MODEL
        ).first()
        if climbed is not None:
            row.reward_model = climbed
            row.settings = {
                key: value for key, value in row.settings.items() if key != "reward_model"
            }
            row.save(update_fields=["reward_model", "settings"])


class Migration(migrations.Migration):
    dependencies = [
        ("finetuning", "0008_reward_models"),
        ("images", "0007_cohort_sources"),
        ("runs", "0002_run_crashes"),
    ]
    operations = [
        migrations.RunPython(make_rows, migrations.RunPython.noop),
        migrations.RunPython(name_climbed, migrations.RunPython.noop),
    ]
