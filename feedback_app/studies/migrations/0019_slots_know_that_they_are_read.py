"""A slot says itself that it was read, so that an index alone tells how far a study is.

Rows that are there are read but for those that are marked as unread here: most are, and none of
them is written anew. What comes later is marked by the trigger of readings.0013.
"""

from django.db import migrations, models

MARK = """
    UPDATE studies_slot SET is_read = false
    WHERE NOT EXISTS (SELECT FROM readings_reading WHERE slot_id = studies_slot.id);
    UPDATE studies_slot SET lease_until = NULL WHERE is_read AND lease_until IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("studies", "0018_erased_texts"), ("readings", "0010_reports")]
    operations = [
        migrations.AddField(
            model_name="slot",
            name="is_read",
            field=models.BooleanField(default=False, db_default=True, editable=False),
        ),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="slot",
            name="is_read",
            field=models.BooleanField(default=False, db_default=False, editable=False),
        ),
        migrations.AddIndex(
            model_name="slot",
            index=models.Index(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=["study", "reader", "is_read"],
                include=("seat",),
                name="progress_of_slots",
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_read", False), ("lease_until__isnull", True), _connector="OR"
                ),
                name="what_is_read_has_no_lease",
            ),
        ),
    ]
