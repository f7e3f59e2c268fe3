"""Rejects passwords that a range service such as Have I Been Pwned knows from data breaches.

The service gets the first five hex digits of a password's SHA-1 and answers with the rest of all that start like it. If
it doesn't answer in time, the password passes.
"""

import hashlib
import re

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.providers.http.plain_text import NotRead, read_text

PREFIX = 5  # hex digits
SECONDS = 2.0
_LINE = re.compile(r"^([0-9A-F]{35}):(\d+)\s*$", re.MULTILINE)

logger = structlog.get_logger(__name__)


class LeakedPasswordValidator:
    def __init__(self, url: str) -> None:
        self._url = url

    def validate(self, password: str, user: User | None = None) -> None:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        if digest[PREFIX:] in self._leaked(digest[:PREFIX]):
            raise ValidationError(_("This password appeared in a data breach. Choose another one."), code="leaked")

    def get_help_text(self) -> str:
        return _("Your password can't be one that appeared in a data breach.")

    def _leaked(self, prefix: str) -> set[str]:
        try:
            text = read_text(
                self._url,
                f"/range/{prefix}",
                headers={"Accept": "text/plain", "Add-Padding": "true"},
                seconds=SECONDS,
                allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS,
            )
        except NotRead as error:
            logger.warning("leaked_passwords.not_checked", reason=error.reason)
            return set()
        lines = _LINE.findall(text)
        if not lines:
            logger.warning("leaked_passwords.not_checked", reason="unreadable")
        return {suffix for suffix, count in lines if int(count)}  # padding has a count of 0
