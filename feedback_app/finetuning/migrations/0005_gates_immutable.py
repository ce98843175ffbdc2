"""Gates, verdicts and their rules can be added, never changed or removed."""

from django.db import migrations

from feedback_app.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("finetuning", "0004_gates")]
    operations = [refuse_changes("finetuning", tables=("gate", "gateverdict", "gaterule"))]
