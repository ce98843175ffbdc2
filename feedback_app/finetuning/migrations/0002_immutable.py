"""Snapshots and their pairs can be added, never changed or removed."""

from django.db import migrations

from feedback_app.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("finetuning", "0001_initial")]
    operations = [refuse_changes("finetuning", tables=("snapshot", "pair"))]
