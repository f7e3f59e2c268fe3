import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.text
import linkadmin.accounts.models
import linkadmin.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='SignInLimit',
            fields=[
                ('key', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('attempts', models.JSONField(default=list)),
                ('rejected', models.PositiveIntegerField(default=0)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('username', models.CharField(error_messages={'unique': 'This user name is taken.'}, max_length=60, unique=True, validators=[django.contrib.auth.validators.ASCIIUsernameValidator()], verbose_name='user name')),
                ('name', linkadmin.fields.NameField(blank=True, max_length=120, verbose_name='name')),
                ('role', models.CharField(choices=[('support', 'Support'), ('manager', 'Account manager'), ('auditor', 'Auditor'), ('administrator', 'Administrator')], max_length=20, verbose_name='role')),
                ('is_active', models.BooleanField(default=True, help_text='Who is not active cannot log in, and is logged out at once.', verbose_name='active')),
                ('session_stamp', models.CharField(default=linkadmin.accounts.models.new_stamp, editable=False, max_length=32)),
            ],
            options={
                'verbose_name': 'member of staff',
                'verbose_name_plural': 'staff',
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['support', 'manager', 'auditor', 'administrator'])), name='user_has_a_known_role'), models.UniqueConstraint(django.db.models.functions.text.Lower('username'), name='user_name_unique', violation_error_message='This user name is taken.')],
            },
        ),
        migrations.CreateModel(
            name='StaffSession',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('started_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('browser', models.CharField(blank=True, max_length=60)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
            },
        ),
    ]
