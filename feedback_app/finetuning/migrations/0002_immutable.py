"""Snapshots and their pairs can be added, never changed or removed."""

from django.db import migrations

TABLES = ("finetuning_snapshot", "finetuning_pair")

CREATE = """
CREATE FUNCTION finetuning_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
""" + "".join(
    f"CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION finetuning_refuse_change();\n"
    for table in TABLES
)

DROP = (
    "".join(f"DROP TRIGGER immutable ON {table};\n" for table in TABLES)
    + "DROP FUNCTION finetuning_refuse_change();"
)


class Migration(migrations.Migration):
    dependencies = [("finetuning", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
