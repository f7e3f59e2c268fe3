import django.utils.timezone
from django.db import migrations, models


DUE_AT = models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)
ATTEMPTS = models.PositiveIntegerField(default=0)


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0002_records_left_out'),
    ]

    operations = [
        migrations.RenameField(model_name='linkread', old_name='reader', new_name='claim_token'),
        migrations.RenameField(model_name='strangerread', old_name='reader', new_name='claim_token'),
        migrations.RenameField(model_name='linkread', old_name='tries', new_name='attempts'),
        migrations.RenameField(model_name='strangerread', old_name='tries', new_name='attempts'),
        migrations.AlterField(model_name='linkread', name='attempts', field=ATTEMPTS),
        migrations.AlterField(model_name='strangerread', name='attempts', field=ATTEMPTS),
        migrations.AlterField(model_name='linkread', name='due_at', field=DUE_AT),
        migrations.AlterField(model_name='strangerread', name='due_at', field=DUE_AT),
    ]
