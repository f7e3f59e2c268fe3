from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('beat', 'Scheduler'), ('worker', 'Worker')], max_length=10)),
                ('name', models.CharField(max_length=200)),
                ('pid', models.PositiveIntegerField(null=True)),
                ('started_at', models.DateTimeField()),
                ('alive_at', models.DateTimeField()),
                ('worked_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'name'), name='heartbeat_once')],
            },
        ),
    ]
