"""A local identity provider, and a browser's way through it."""

import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import flask
import jwt
import oidc_provider_mock
import requests
from django.test import Client
from oidc_provider_mock._storage import storage
from pytest_django import Settings
from werkzeug.serving import make_server

from linkadmin.accounts.single_sign_on import provider as provider_module
from linkadmin.accounts.single_sign_on.settings import identity_provider

from .markup import Page, read

SIGN_IN, START, CALLBACK = "/accounts/login/", "/accounts/single-sign-on/", "/accounts/single-sign-on/callback/"
SECRET = "the client's secret: 50% & more"
NAMED: dict[str, Any] = {
    "issuer": "https://id.example.com/acme",
    "client_id": "linkadmin",
    "client_secret": SECRET,
    "name": "Acme",
    "scopes": "openid profile",
    "role_claim": "roles",
    "roles": ["team support=support", "leads=manager", "audit=auditor", "admins=administrator"],
    "allow_loopback": True,
}
Answer = Callable[[], Any]


@dataclass
class Provider:
    url: str
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)  # path, parameters, Authorization
    instead: dict[str, Answer] = field(default_factory=dict)  # its answers to some paths
    beside: dict[str, str] = field(default_factory=dict)  # what it gives with an ID token
    claims: dict[str, Any] = field(default_factory=dict)  # in all its ID tokens; `...` leaves one out
    key_name: str = ""  # of its only key, also in ID tokens; without one, tokens name none

    def knows(self, sub: str, **claims: Any) -> None:
        """Its ID tokens for this person have these claims."""
        assert requests.put(f"{self.url}/users/{sub}", json=claims, timeout=60).ok

    def parameters(self, path: str) -> dict[str, str]:
        return [parameters for asked, parameters, _authorization in self.asked if asked == path][-1]

    def code_for(self, sub: str, url: str) -> str:
        """Sign in there, and return the URL it leads back to."""
        answer = requests.post(url, {"sub": sub}, allow_redirects=False, timeout=60)
        return str(answer.headers["Location"])


@contextmanager
def running() -> Iterator[Provider]:
    app = oidc_provider_mock.app()
    app.add_url_rule("/favicon.ico", view_func=lambda: ("", HTTPStatus.NO_CONTENT))
    server = make_server("localhost", 0, app, threaded=True)
    provider = Provider(f"http://localhost:{server.server_port}")

    @app.before_request
    def listen() -> Any:
        asked = flask.request
        provider.asked.append((asked.path, asked.values.to_dict(), asked.headers.get("Authorization", "")))
        return provider.instead[asked.path]() if asked.path in provider.instead else None

    @app.after_request
    def note(response: flask.Response) -> flask.Response:
        if flask.request.path == "/oauth2/token" and response.is_json and "id_token" in (body := response.get_json()):
            body["id_token"] = _signed(body["id_token"], provider.claims, provider.key_name)
            response.set_data(json.dumps(body | provider.beside))
        if flask.request.path == "/jwks" and provider.key_name:
            response.set_data(json.dumps({"keys": [response.get_json()["keys"][0] | {"kid": provider.key_name}]}))
        if response.mimetype == "text/html":  # its style sheet is on the web
            response.set_data(re.sub(r"<link.*?/>", "", response.get_data(as_text=True), flags=re.DOTALL))
        return response

    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _signed(token: str, changes: dict[str, Any], key_name: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    claims = {name: value for name, value in claims.items() if value is not ...}
    headers = {"kid": key_name} if key_name else {}
    return jwt.encode(claims, storage.jwk.as_pem(is_private=True), "RS256", headers)


def use(settings: Settings, issuer: str, *, secret: str = SECRET) -> None:
    settings.IDENTITY_PROVIDER = identity_provider(**NAMED | {"issuer": issuer, "client_secret": secret})
    forget()


def forget() -> None:
    """Have endpoints and keys read again."""
    provider_module._endpoints.clear()
    provider_module._keys.clear()


def leave(client: Client, onward: str = "") -> str:
    """Press the button, and return where it leads."""
    page = read(client.post(START, {"next": onward}))
    assert page.status == 200, page.words
    assert page.headers["refresh"] == "0; url=" + html.unescape(re.findall(r'href="(http[^"]+)"', page.source)[0])
    return page.headers["refresh"].partition("url=")[2]


def back(client: Client, url: str, **headers: str) -> Page:
    parts = urlsplit(url)
    return read(client.get(f"{parts.path}?{parts.query}"))


def sign_in(provider: Provider, client: Client, sub: str, onward: str = "") -> Page:
    return back(client, provider.code_for(sub, leave(client, onward)))


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(urljoin("http://x", url)).query).items()}
