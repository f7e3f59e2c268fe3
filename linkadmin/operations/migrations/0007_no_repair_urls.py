from typing import Any

from django.db import migrations


def delete_repair_urls(apps: Any, schema_editor: Any) -> None:
    """Repair requests replace them. The audit log keeps that they were created."""
    apps.get_model("operations", "Operation").objects.filter(kind="create_repair_url").delete()


class Migration(migrations.Migration):
    dependencies = [("operations", "0006_activity_indexes")]
    operations = [
        migrations.DeleteModel(name="RepairUrl"),
        migrations.RunPython(delete_repair_urls, migrations.RunPython.noop),
    ]
