"""A curated set and its items can be added, never changed or removed."""

from django.db import migrations

from feedback_app.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("curation", "0001_initial")]
    operations = [refuse_changes("curation", tables=("curatedset", "curateditem"))]
