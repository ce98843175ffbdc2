"""The first reading of a slot marks it as read and ends its lease, whoever writes it."""

from django.db import migrations, models

CREATE = """
    CREATE FUNCTION readings_mark_slot() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE studies_slot SET is_read = true, lease_until = NULL
        WHERE id = NEW.slot_id AND NOT is_read;
        RETURN NULL;
    END $$;
    CREATE TRIGGER marks_its_slot AFTER INSERT ON readings_reading
    FOR EACH ROW EXECUTE FUNCTION readings_mark_slot();
"""
DROP = """
    DROP TRIGGER marks_its_slot ON readings_reading;
    DROP FUNCTION readings_mark_slot();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0012_erased_texts"),
        ("studies", "0019_slots_know_that_they_are_read"),
    ]
    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.AddIndex(
            model_name="reading",
            index=models.Index(
                condition=models.Q(("is_simulated", True)),
                fields=["slot"],
                name="simulated_readings",
            ),
        ),
    ]
