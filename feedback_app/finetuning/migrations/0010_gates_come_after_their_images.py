"""Gates that wait come after the runs of their images, and after the fine-tune of their child."""

from django.db import migrations

UNFINISHED = ("queued", "running")


def put_after_images(apps, _):
    Gate = apps.get_model("finetuning", "Gate")
    Run = apps.get_model("runs", "Run")
    for gate in Gate.objects.filter(run__state="queued"):
        batches = {gate.child_batch_id, gate.parent_batch_id}
        for masks in gate.masked.all():
            batches |= {masks.child_batch_id, masks.parent_batch_id}
        gate.run.after.add(*Run.objects.filter(batches__in=batches, state__in=UNFINISHED).distinct())


def ask_gates_by_runs(apps, _):
    FineTune = apps.get_model("finetuning", "FineTune")
    Run = apps.get_model("runs", "Run")
    for row in FineTune.objects.filter(run__state__in=UNFINISHED).select_related("run"):
        if not row.run.spec.get("asks_gate", True):
            continue
        asking = Run.objects.create(
            kind="ask_gate",
            queue="cpu",
            title=f"Ask the gate of what {row.run.title} gives"[:200],
            spec={"fine_tune": str(row.pk)},
            created_by=row.run.created_by,
        )
        asking.after.add(row.run)


class Migration(migrations.Migration):
    dependencies = [
        ("finetuning", "0009_rows_of_reward_models"),
        ("runs", "0003_what_runs_come_after"),
    ]
    operations = [
        migrations.RunPython(put_after_images, migrations.RunPython.noop),
        migrations.RunPython(ask_gates_by_runs, migrations.RunPython.noop),
    ]
