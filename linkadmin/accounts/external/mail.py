"""Sends e-mails in the process that made their link: it's a secret that no broker or table may have."""

import smtplib
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext as _

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.providers.http.redaction import clean
from linkadmin.providers.http.watchdog import Watchdog
from linkadmin.providers.types import Secret

SECONDS = 5.0  # for each response of the mail server
SECONDS_IN_ALL = 15.0  # a thread of the web server waits


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome of sending a message, and the server's or the network's words if it wasn't sent."""

    outcome: Outcome
    words: str = ""


def send_invitation(person: User, link: str, *, by: User) -> SendResult:
    text = _(
        "Hello %(name)s,\n\n"
        "%(sender)s sent you a link to choose your password for Linkadmin:\n\n"
        "%(link)s\n\n"
        "It works once, for three days. Your username is %(username)s.\n\n"
        "If you didn't expect this e-mail, tell %(sender)s.\n"
    )
    values = {"name": person.display_name, "sender": by.display_name, "link": link, "username": person.username}
    message = EmailMessage(
        _("Choose your password for Linkadmin"),
        text % values,
        settings.MAIL_FROM,
        [person.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    _record(person, by, Outcome.REQUESTED)
    result = send(message, Secret(link.rpartition("#")[2]))
    _record(person, by, result.outcome)
    return result


def send(message: EmailMessage, secret: Secret) -> SendResult:
    """Send it once. `secret`, which it has, is never quoted."""
    secrets = [secret, Secret(settings.MAIL_SERVER["password"])]
    with Watchdog(SECONDS_IN_ALL) as watchdog:
        result = _exchanged(_Backend(watchdog), watchdog, message, secrets)
    is_cut = watchdog.expired and result.outcome is not Outcome.DONE
    return replace(result, words="timed out") if is_cut else result


class _Connection(smtplib.SMTP):
    watchdog: Watchdog

    def _get_socket(self, *args: Any) -> socket.socket:
        connection: socket.socket = super()._get_socket(*args)  # type: ignore[misc]
        self.watchdog.watch(connection)
        return connection


class _TLSConnection(smtplib.SMTP_SSL, _Connection):
    """Watched before its handshake."""


class _Backend(EmailBackend):
    def __init__(self, watchdog: Watchdog) -> None:
        super().__init__(**settings.MAIL_SERVER, timeout=SECONDS)
        self._watchdog = watchdog

    @property
    def connection_class(self) -> Any:
        return type("Connection", (_TLSConnection if self.use_ssl else _Connection,), {"watchdog": self._watchdog})


def _exchanged(server: EmailBackend, watchdog: Watchdog, message: EmailMessage, secrets: list[Secret]) -> SendResult:
    outcome = Outcome.NOT_SENT  # until there's a connection
    try:
        server.open()
        if not watchdog.expired:  # a greeting that was cut off looks whole
            outcome = Outcome.UNKNOWN
        server.send_messages([message])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        rejected = Outcome.REJECTED if outcome is Outcome.UNKNOWN else outcome
        return SendResult(rejected, clean(_reply(error), secrets))
    except OSError as error:  # SMTPException is one too
        return SendResult(outcome, clean(str(error.strerror or error), secrets))
    finally:
        with suppress(OSError):
            server.close()
    return SendResult(Outcome.DONE)


def _reply(error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> str:
    [(code, text)] = (
        error.recipients.values()
        if isinstance(error, smtplib.SMTPRecipientsRefused)
        else [(error.smtp_code, error.smtp_error)]
    )
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"


def _record(person: User, by: User, outcome: Outcome) -> None:
    record(
        actor=by,
        action=Action.INVITATION_MAILED,
        object_type=ObjectType.STAFF,
        object_id=person.pk,
        outcome=outcome,
    )
