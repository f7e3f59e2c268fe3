from django.db import migrations, models


def look_again(apps, _schema_editor):
    """Let the next list be looked at whatever it says: the same records mean something else from now on."""
    apps.get_model("links", "Link").objects.filter(integration__provider="heron").update(fingerprint=None)


class Migration(migrations.Migration):

    dependencies = [
        ("links", "0005_keys_refused_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="link",
            name="code_cause",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="link",
            name="code_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(look_again, migrations.RunPython.noop),
    ]
