"""Random secrets of URLs and cookies. Only their digests are stored."""

import hashlib
import re
import secrets

from django.urls import reverse

LENGTH = 43  # characters of 256 bits
TOKEN = re.compile(rf"[-\w]{{{LENGTH}}}", re.ASCII)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def url_of(token: str, origin: str) -> str:
    return origin + reverse("repair-request", args=[token])
