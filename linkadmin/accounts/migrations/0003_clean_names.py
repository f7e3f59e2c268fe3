import linkadmin.fields
from django.db import migrations

from linkadmin.providers.names import clean_name


def clean_names(apps, schema_editor):
    rows = apps.get_model('accounts', 'User').objects
    for row in rows.exclude(name=''):
        if clean_name(row.name) != row.name:
            rows.filter(pk=row.pk).update(name=clean_name(row.name))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_sign_in_limits'),
    ]

    operations = [
        migrations.AlterField(
            model_name='user',
            name='name',
            field=linkadmin.fields.NameField(blank=True, max_length=120, verbose_name='name'),
        ),
        migrations.RunPython(clean_names, migrations.RunPython.noop),
    ]
