"""Argon2 that adds a byte to a file per computation, so that tests can count hashes across processes."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

COUNT = "hashes"  # in the data folder


class CountingHasher(Argon2PasswordHasher):
    def encode(self, *args: Any, **kwargs: Any) -> str:
        _mark()
        return super().encode(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        _mark()
        return super().verify(*args, **kwargs)


def _mark() -> None:
    with (settings.DATA_DIR / COUNT).open("ab", buffering=0) as file:
        file.write(b"1")
