"""Mail servers on this machine, which receive e-mail or give the answers they're told to."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from pytest_django import Settings

from linkadmin.environment import mail_server

SECRET = re.compile(r"[/#]([\w-]{43})\b")


class Post:
    """Receives e-mail, or gives the answers it's told to."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.received: list[str] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("recipient", "250 OK")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        content = envelope.content.decode() if isinstance(envelope.content, bytes) else envelope.content or ""
        if "echo" in self.answers:
            [secret] = set(SECRET.findall(content))
            return f"554 {self.answers['echo']} {secret}"
        self.received.append(content)
        return self.answers.get("message", "250 OK")


Start: TypeAlias = Callable[..., Post]


@contextmanager
def mail_servers(settings: Settings) -> Iterator[Start]:
    """Yield what starts a mail server that is then used."""
    running: list[Controller] = []

    def start(scheme: str = "smtp", who: str = "", post: Post | None = None, **options: Any) -> Post:
        post = post or Post()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(post, hostname="127.0.0.1", port=port, ready_timeout=600, **options)
        controller.start()
        running.append(controller)
        use(settings, f"{scheme}://{who}127.0.0.1:{port}")
        return post

    try:
        yield start
    finally:
        for each in running:
            each.stop()


def use(settings: Settings, url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINKADMIN_EMAIL_URL", url)
        settings.MAIL_SERVER = mail_server("LINKADMIN_EMAIL_URL")
    settings.MAIL_FROM = "linkadmin@links.example.com"
