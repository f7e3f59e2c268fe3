"""A person may have several roles."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CHOICES = [
    ('auditor', 'Auditor'),
    ('support', 'Support'),
    ('manager', 'Account manager'),
    ('administrator', 'Administrator'),
    ('manager,support', 'Account manager, Support'),
    ('administrator,support', 'Administrator, Support'),
    ('administrator,manager', 'Administrator, Account manager'),
    ('administrator,manager,support', 'Administrator, Account manager, Support'),
]


def keep_one_role(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """On the way back: not the administrator's, if there is another."""
    people = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    for person in people.filter(role__contains=","):
        people.filter(pk=person.pk).update(role=person.role.rpartition(",")[2])


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_recovery_codes'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='user', name='user_has_a_known_role'),
        migrations.AlterField(
            model_name='user',
            name='role',
            field=models.CharField(max_length=40, verbose_name='roles', db_column='role', choices=CHOICES),
        ),
        migrations.RunPython(migrations.RunPython.noop, keep_one_role),
        migrations.RenameField(model_name='user', old_name='role', new_name='roles'),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(
                condition=models.Q(roles__in=[stored for stored, _label in CHOICES]), name='user_has_known_roles'
            ),
        ),
    ]
