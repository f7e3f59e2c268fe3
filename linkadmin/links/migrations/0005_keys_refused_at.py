"""Since when the keys of an integration are rejected; for those that are already, since their last test."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def take_last_test(apps: Any, schema_editor: Any) -> None:
    apps.get_model("links", "Integration").objects.filter(key_state="refused").update(keys_refused_at=F("tested_at"))


class Migration(migrations.Migration):
    dependencies = [("links", "0004_waits_of_unknown_length")]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="keys_refused_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="keys refused since"),
        ),
        migrations.RunPython(take_last_test, migrations.RunPython.noop),
    ]
