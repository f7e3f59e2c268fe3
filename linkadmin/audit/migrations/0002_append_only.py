"""Let the database itself refuse to change or remove audit events.

A later migration that alters the table must put the triggers back: on SQLite that makes a new table, without them.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# REPLACE would remove the old row without asking the other triggers, hence the one on INSERT.
SQLITE = (
    """
    CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_auditevent
    BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END
    """,
    """
    CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_auditevent
    BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END
    """,
    """
    CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_auditevent
    WHEN EXISTS (SELECT 1 FROM audit_auditevent WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit events are only ever added' USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_event_refuse()
    """,
    """
    CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()
    """,
)
PROTECT = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
UNPROTECT = {
    "sqlite": (
        "DROP TRIGGER audit_event_no_update",
        "DROP TRIGGER audit_event_no_delete",
        "DROP TRIGGER audit_event_no_replace",
    ),
    "postgresql": (
        "DROP TRIGGER audit_event_no_truncate ON audit_auditevent",
        "DROP TRIGGER audit_event_no_change ON audit_auditevent",
        "DROP FUNCTION audit_event_refuse()",
    ),
}


def protect(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in PROTECT[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def unprotect(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in UNPROTECT[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def place_head(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    database = schema_editor.connection.alias
    last = apps.get_model("audit", "AuditEvent").objects.using(database).order_by("-seq").values("seq", "hash").first()
    apps.get_model("audit", "AuditHead").objects.using(database).create(**last or {})


def remove_head(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("audit", "AuditHead").objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunPython(place_head, remove_head),
        migrations.RunPython(protect, unprotect),
    ]
