"""Promotions can be added, never changed or removed."""

from django.db import migrations

from feedback_app.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("images", "0004_promotions")]
    operations = [refuse_changes("images", tables=("promotion",))]
