"""Create the three keys of an installation. Existing keys are never overwritten."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from linkadmin import environment as env


def sealing_keyset() -> str:
    from linkadmin.encryption.keyset import new_keyset  # slow to import, and needed once per installation

    return new_keyset()


KEYS: dict[str, tuple[str, Callable[[], str]]] = {
    "secret_key": ("LINKADMIN_SECRET_KEY", lambda: secrets.token_urlsafe(50)),
    "audit_key": ("LINKADMIN_AUDIT_KEY", lambda: secrets.token_urlsafe(50)),
    "sealing_keyset.json": ("LINKADMIN_SEALING_KEYSET", sealing_keyset),
}


def make_keys(folder: Path) -> list[Path]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [
        path
        for name, (variable, new_key) in KEYS.items()
        if not env.secret(variable, kept_in=(path := folder / name)) and _write_once(path, new_key())
    ]


def _write_once(path: Path, key: str) -> bool:
    """Write the whole file or nothing. False if another process was first."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent)  # only its owner may read it
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(key)
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
            return True
        return False
    finally:
        os.unlink(unfinished)


class Command(BaseCommand):
    help = "Create missing keys: for Django, the audit log and the encryption of provider secrets."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        created = make_keys(settings.KEYS_DIR)
        if options["verbosity"]:
            self.stdout.write(
                "\n".join(f"Created {path}" for path in created) or "All keys exist. Nothing was created."
            )
