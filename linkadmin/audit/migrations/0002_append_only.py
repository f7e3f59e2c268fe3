"""Let the database itself refuse to change or remove audit events.

A later migration that alters the table must put the triggers back: on SQLite that makes a new table, without them.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from linkadmin.audit.triggers import POSTGRESQL_FUNCTION, TABLE, TRIGGERS


def protect(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_FUNCTION, params=None)
    for statement in TRIGGERS[vendor].values():
        schema_editor.execute(statement, params=None)


def unprotect(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    for name in TRIGGERS[vendor]:
        schema_editor.execute(f"DROP TRIGGER {name}" + (f" ON {TABLE}" if vendor == "postgresql" else ""), params=None)
    if vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION audit_event_refuse()", params=None)


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
