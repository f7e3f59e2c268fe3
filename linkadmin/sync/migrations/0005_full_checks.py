import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0004_unknown_link_reads'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='sweep', name='one_running_sweep_per_integration'),
        migrations.RemoveConstraint(model_name='sweeppart', name='one_part_per_call'),
        migrations.RemoveIndex(model_name='sweeppart', name='sweep_parts_undone'),
        migrations.RenameModel(old_name='Sweep', new_name='FullCheck'),
        migrations.RenameModel(old_name='SweepPart', new_name='FullCheckBatch'),
        migrations.RenameField(model_name='fullcheckbatch', old_name='sweep', new_name='full_check'),
        migrations.RenameField(model_name='leftout', old_name='sweep', new_name='full_check'),
        migrations.AlterField(
            model_name='fullcheck',
            name='integration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='full_checks', to='links.integration'),
        ),
        migrations.RenameIndex(model_name='fullcheck', old_name='sweep_of_integration', new_name='full_check_of_integration'),
        migrations.AddIndex(
            model_name='fullcheckbatch',
            index=models.Index(fields=['full_check', '-kind', 'id'], condition=Q(done_at__isnull=True), name='full_check_undone'),
        ),
        migrations.AddConstraint(
            model_name='fullcheck',
            constraint=models.UniqueConstraint(fields=['integration'], condition=Q(state='running'), name='one_running_full_check_per_integration'),
        ),
        migrations.AddConstraint(
            model_name='fullcheckbatch',
            constraint=models.UniqueConstraint(fields=['full_check', 'kind', 'key'], name='one_part_per_call'),
        ),
    ]
