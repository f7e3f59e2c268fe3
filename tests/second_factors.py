"""An authenticator app, and people who use one."""

import base64
import hmac
import re
import struct
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from django.test import Client

from .environment import PASSWORD
from .markup import Page, read

STEP = 30  # seconds
SIGN_IN, SECOND_STEP, ADD_APP = "/accounts/login/", "/accounts/login/factor/", "/accounts/factors/app/"


@dataclass
class App:
    """Computes codes from a key as RFC 6238 says."""

    key: str
    codes: list[str] = field(default_factory=list)  # the recovery codes that came with it

    def code(self, *, later: float = 0) -> str:
        counter = int((time.time() + later) // STEP)
        digest = hmac.digest(base64.b32decode(self.key), struct.pack(">Q", counter), "sha1")
        start = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"

    @property
    def next_code(self) -> str:
        """Accepted although the present one was used, as the app's clock may be ahead."""
        return self.code(later=STEP)


def offered(client: Client) -> tuple[Page, App]:
    page = read(client.get(ADD_APP))
    key = re.search(r'id="app-key">([A-Z2-7 ]+)<', page.source)
    assert key, page.words
    return page, App(key[1].replace(" ", ""))


def add_app(client: Client) -> App:
    page, app = offered(client)
    added = read(client.post(ADD_APP, page.form_with("key", "code").values | {"code": app.code()}))
    app.codes = codes_in(added)
    return app


def codes_in(page: Page) -> list[str]:
    return re.findall(r"\b(?:[a-z2-9]{4}-){3}[a-z2-9]{4}\b", page.source)


def after_password(name: str, client: Client | None = None) -> Client:
    """A browser in which somebody gave their password."""
    client = client or Client()
    answer = client.post(SIGN_IN, {"login": name, "password": PASSWORD})
    assert answer.status_code == HTTPStatus.FOUND
    return client


def give(client: Client, code: str) -> Page:
    return read(client.post(SECOND_STEP, {"code": code}))


def is_in(client: Client) -> bool:
    return client.get("/live/").status_code == HTTPStatus.OK
