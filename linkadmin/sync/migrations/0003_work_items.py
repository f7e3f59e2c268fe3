import django.utils.timezone
from django.db import migrations, models


def let_sweeps_be_due(apps, schema_editor):
    """Until now a running sweep that waited for nothing had no moment."""
    running = apps.get_model('sync', 'Sweep').objects.filter(state='running', due_at=None)
    running.update(due_at=django.utils.timezone.now())


DUE_AT = models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)
ATTEMPTS = models.PositiveIntegerField(default=0)
CLAIM_TOKEN = models.UUIDField(blank=True, null=True)


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0002_records_left_out'),
    ]

    operations = [
        migrations.RenameField(model_name='linkread', old_name='reader', new_name='claim_token'),
        migrations.RenameField(model_name='strangerread', old_name='reader', new_name='claim_token'),
        migrations.RenameField(model_name='linkread', old_name='tries', new_name='attempts'),
        migrations.RenameField(model_name='strangerread', old_name='tries', new_name='attempts'),
        migrations.RenameField(model_name='sweeppart', old_name='tries', new_name='attempts'),
        migrations.RenameField(model_name='sweep', old_name='attended_until', new_name='lease_until'),
        migrations.RenameField(model_name='sweep', old_name='waits_until', new_name='due_at'),
        migrations.AddField(model_name='sweep', name='claim_token', field=CLAIM_TOKEN),
        migrations.AddField(model_name='sweeppart', name='claim_token', field=CLAIM_TOKEN),
        migrations.AddField(model_name='sweep', name='attempts', field=ATTEMPTS),
        migrations.AlterField(model_name='linkread', name='attempts', field=ATTEMPTS),
        migrations.AlterField(model_name='strangerread', name='attempts', field=ATTEMPTS),
        migrations.AlterField(model_name='sweeppart', name='attempts', field=ATTEMPTS),
        migrations.AlterField(model_name='linkread', name='due_at', field=DUE_AT),
        migrations.AlterField(model_name='strangerread', name='due_at', field=DUE_AT),
        migrations.AlterField(model_name='sweeppart', name='due_at', field=DUE_AT),
        migrations.AlterField(model_name='sweep', name='due_at', field=DUE_AT),
        migrations.RunPython(let_sweeps_be_due, migrations.RunPython.noop),
    ]
