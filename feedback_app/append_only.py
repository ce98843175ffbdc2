"""Tables whose rows can be added but never changed or removed, by database trigger."""

from collections.abc import Sequence

from django.db.migrations import RunSQL


def refuse_changes(app: str, *, tables: Sequence[str]) -> RunSQL:
    """Returns a migration operation after which UPDATE and DELETE on these tables raise
    IntegrityError.
    """
    function = f"{app}_refuse_change"
    create = f"""
        CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
        END $$;
    """
    create += "".join(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {app}_{table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}();\n"
        for table in tables
    )
    drop = "".join(f"DROP TRIGGER append_only ON {app}_{table};\n" for table in tables)
    return RunSQL(create, drop)  # the function stays: other tables of the app may use it


def allow_erasure(app: str, *, table: str, fields: Sequence[str]) -> RunSQL:
    """Lets an erasure, and nothing else, change these fields of an append-only table's rows.

    It says so by ``reading_room.erasing``, in its transaction.
    """
    function = f"{app}_{table}_refuse_change"
    others = "".join(f" - '{field}'" for field in fields)
    allow = f"""
        CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND current_setting('reading_room.erasing', true) = 'on'
                AND to_jsonb(OLD){others} = to_jsonb(NEW){others}
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
        END $$;
        DROP TRIGGER append_only ON {app}_{table};
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {app}_{table}
        FOR EACH ROW EXECUTE FUNCTION {function}();
    """
    refuse = f"""
        DROP TRIGGER append_only ON {app}_{table};
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {app}_{table}
        FOR EACH ROW EXECUTE FUNCTION {app}_refuse_change();
    """
    return RunSQL(allow, refuse)
