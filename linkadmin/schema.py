"""Whether the database has the tables of this version: every migration of ours that was applied is still here."""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.recorder import MigrationRecorder

REFUSAL = (
    "An earlier version made this database, and this version can't use it: start with an empty one. "
    "Keep the old one with the version that made it, to look things up and verify its audit log."
)


def is_from_earlier_version(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Tell whether an earlier version made the database. Raises DatabaseError."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    ours = {app.label: Path(app.path) for app in apps.get_app_configs() if app.name.startswith("linkadmin.")}
    return any(label in ours and not (ours[label] / "migrations" / f"{name}.py").exists() for label, name in applied)


@register(Tags.database)
def database_is_of_this_version(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to migrate what would be taken for migrated: the initial migrations of old bear the same names."""
    is_old = any(is_from_earlier_version(alias) for alias in kwargs["databases"] or ())
    return [Error(REFUSAL, id="linkadmin.E005")] if is_old else []
