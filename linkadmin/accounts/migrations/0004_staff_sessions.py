import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import linkadmin.accounts.models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_clean_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='session_stamp',
            field=models.CharField(default=linkadmin.accounts.models.new_stamp, editable=False, max_length=32),
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
