"""A person may have several roles."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def widen(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # SQLite stores texts of any length, and a new table would lose its triggers.
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE audit_auditevent ALTER COLUMN actor_role TYPE varchar(40)", params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_list_indexes'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(widen, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name='auditevent',
                    name='actor_role',
                    field=models.CharField(blank=True, max_length=40, verbose_name='roles'),
                ),
            ],
        ),
    ]
