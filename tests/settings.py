"""The product's settings with known keys, cheap password hashing and files in a temporary place."""

import os
from tempfile import TemporaryDirectory

if "LINKADMIN_DATA" not in os.environ:  # removed when the process that created it ends
    temporary = TemporaryDirectory(prefix="linkadmin-tests-")
    os.environ["LINKADMIN_DATA"] = temporary.name
os.environ.setdefault("LINKADMIN_DEMO", "1")
os.environ.setdefault("LINKADMIN_SECRET_KEY", "a key for tests only, long enough to satisfy every check of Django's")
os.environ.setdefault("LINKADMIN_AUDIT_KEY", "an audit key for tests only")
os.environ.setdefault(
    "LINKADMIN_SEALING_KEYSET",
    '{"primaryKeyId":1,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey",'
    '"value":"GiAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==","keyMaterialType":"SYMMETRIC"},'
    '"status":"ENABLED","keyId":1,"outputPrefixType":"TINK"}]}',
)

# Two test workers must not empty each other's cache: each has its own Redis database.
if os.environ.get("LINKADMIN_REDIS_URL") and (worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")):
    os.environ["LINKADMIN_REDIS_URL"] = os.environ["LINKADMIN_REDIS_URL"].rpartition("/")[0] + f"/{2 + int(worker)}"

from linkadmin.settings import *  # noqa: F403

for folder in (STATIC_ROOT, DATA_DIR / "broker" / "messages", DATA_DIR / "broker" / "control"):  # noqa: F405
    folder.mkdir(parents=True, exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# A file, not memory: calls run in threads with connections of their own.
DATABASES["default"].setdefault("TEST", {})["NAME"] = (  # noqa: F405
    DATA_DIR / "test.sqlite3" if DATABASES["default"]["ENGINE"] == "linkadmin.sqlite" else None  # noqa: F405
)
STAFF_LIMITS = {**STAFF_LIMITS, "exports": (1000, 1000), "credentials": (1000, 1000)}  # noqa: F405 - more than people
RETRY_BASE_SECONDS = 0.01  # a read without a response is retried at once
OPERATION_ANSWER_SECONDS = 60  # for calls that a busy machine makes slow; `slow` makes pages wait only briefly
