"""Static files are gathered, hashed and compressed only when one of them has changed: it takes seconds."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_if_changed(stamp: Path) -> bool:
    """Fill STATIC_ROOT unless `stamp` says that it holds these very files, and tell whether there was need to."""
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and Path(settings.STATIC_ROOT).exists():
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    digest = hashlib.sha256(repr(settings.STORAGES).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
