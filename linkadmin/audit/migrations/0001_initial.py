"""The tables of the log. The database itself refuses to change or remove audit events.

A later migration that alters their table must put the triggers back: on SQLite that makes a new table, without them.
"""

import django.utils.timezone
from django.apps.registry import Apps
from django.db import migrations, models
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
    apps.get_model("audit", "AuditHead").objects.using(schema_editor.connection.alias).create()


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditCheck',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('checked_at', models.DateTimeField(null=True)),
                ('verdict', models.PositiveSmallIntegerField(choices=[(0, 'Good'), (1, 'Broken'), (2, 'Cut or rewritten')], default=0)),
                ('finding', models.TextField(blank=True)),
                ('head_seq', models.BigIntegerField(default=0)),
                ('head_problem', models.CharField(blank=True, max_length=200)),
                ('head_problem_since', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='audit_one_check')],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('actor_id', models.CharField(blank=True, max_length=36, verbose_name='actor id')),
                ('actor', models.CharField(blank=True, max_length=150, verbose_name='actor')),
                ('actor_role', models.CharField(blank=True, max_length=20, verbose_name='role')),
                ('action', models.CharField(max_length=80, verbose_name='action')),
                ('object_type', models.CharField(blank=True, max_length=40, verbose_name='object type')),
                ('object_id', models.CharField(blank=True, max_length=64, verbose_name='object id')),
                ('outcome', models.CharField(choices=[('requested', 'Requested'), ('done', 'Done'), ('denied', 'Denied'), ('rejected', 'Refused'), ('not_sent', 'Not sent'), ('needs_code', 'Needs a code'), ('expired', 'Expired'), ('canceled', 'Cancelled'), ('unknown', 'Unknown'), ('needs_decision', 'Undecided')], max_length=20, verbose_name='outcome')),
                ('operation_id', models.CharField(blank=True, max_length=36, verbose_name='operation id')),
                ('request_id', models.CharField(blank=True, max_length=36, verbose_name='request id')),
                ('details', models.JSONField(blank=True, default=dict, verbose_name='details')),
                ('prev', models.CharField(max_length=64, verbose_name='previous hash')),
                ('canonical', models.TextField(verbose_name='canonical text')),
                ('hash', models.CharField(max_length=64, verbose_name='hash')),
                ('mac', models.CharField(max_length=64, verbose_name='MAC')),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit trail',
                'indexes': [models.Index(fields=['at'], name='audit_at'), models.Index(fields=['actor', 'seq'], name='audit_actor'), models.Index(fields=['action', 'seq'], name='audit_action'), models.Index(fields=['object_id', 'seq'], name='audit_object'), models.Index(fields=['request_id'], name='audit_request'), models.Index(condition=models.Q(('operation_id', ''), _negated=True), fields=['operation_id'], name='audit_operation')],
            },
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(default=0)),
                ('hash', models.CharField(default='0000000000000000000000000000000000000000000000000000000000000000', max_length=64)),
                ('signed_seq', models.BigIntegerField(default=0)),
                ('signed_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='audit_one_head')],
            },
        ),
        migrations.CreateModel(
            name='ClockMark',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('seen_at', models.DateTimeField()),
                ('jumped_at', models.DateTimeField(null=True)),
                ('jumped_by', models.FloatField(default=0.0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='audit_one_clock_mark')],
            },
        ),
        migrations.RunPython(place_head, migrations.RunPython.noop),
        migrations.RunPython(protect, unprotect),
    ]
