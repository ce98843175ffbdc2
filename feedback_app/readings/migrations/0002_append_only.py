"""Readings and their parts can be added, never changed or removed."""

from django.db import migrations

from feedback_app.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("readings", "0001_initial")]
    operations = [refuse_changes("readings", tables=("reading", "score", "flag"))]
