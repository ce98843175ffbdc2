"""Readings and their parts can be added, never changed or removed."""

from django.db import migrations

TABLES = ("readings_reading", "readings_score", "readings_flag")

CREATE = """
CREATE FUNCTION readings_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
""" + "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION readings_refuse_change();\n"
    for table in TABLES
)

DROP = (
    "".join(f"DROP TRIGGER append_only ON {table};\n" for table in TABLES)
    + "DROP FUNCTION readings_refuse_change();"
)


class Migration(migrations.Migration):
    dependencies = [("readings", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
