"""docs/nginx.conf, unchanged, in front of real web processes: what passes, from which client, and how slowly."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.environment import PASSWORD
from tests.needs import NGINX
from tests.webhooks.webhook_sender import AUTHORIZATION, belvo_webhook

from .browser import UNUSED_CODES, forms_of
from .stack import HOST, PROJECT, Stack, free_port, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.proxy]

STAFF, COLLEAGUE, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
UNKNOWN = "/webhooks/belvo/0123456789abcdef0123456789abcdef/"
MAIN = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{}}
http {{
    access_log {folder}/access.log;
    {temporary}
    {example}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass
class Proxy:
    stack: Stack
    port: int
    plain_port: int
    certificate: Path
    webhook: str

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def session(self, address: str = STAFF) -> requests.Session:
        """Return an HTTP session that connects from a local address."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.certificate)
        session.mount("https://", _From(address))
        return session

    def sign_in(self, session: requests.Session, name: str, password: str, **headers: str) -> requests.Response:
        page = session.get(f"{self.url}/accounts/login/", timeout=30)
        form = next(form for form in forms_of(page.text) if "password" in form.fields)
        typed = form.fields | {"login": name, "password": password}
        headers |= {"Referer": page.url}
        page = session.post(f"{self.url}/accounts/login/", typed, headers=headers, timeout=30)
        if not page.url.endswith("/login/factor/"):
            return page
        form = next(form for form in forms_of(page.text) if "code" in form.fields)
        return session.post(page.url, form.fields | {"code": next(UNUSED_CODES)}, headers=headers, timeout=30)


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    settings = {
        "LINKADMIN_ALLOW_LOOPBACK_PROVIDERS": "0",
        "LINKADMIN_SECURE_COOKIES": "1",
        "LINKADMIN_BEHIND_PROXY": "1",
        "LINKADMIN_TRUSTED_PROXIES": "1",
    }
    with Stack(folder, static=static, **settings) as stack, ExitStack() as cleanup:
        stack.kill("worker", "beat")
        webhook = str(stack.run("tests.processes.webhook_endpoint:open_belvo"))
        port, plain_port = free_port(), free_port()
        certificate = _certificate(folder)
        (folder / "nginx.conf").write_text(_configuration(folder, stack, port, plain_port))
        server = subprocess.Popen([NGINX or "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
        cleanup.callback(server.wait)
        cleanup.callback(server.terminate)
        wait_for(lambda: server.poll() is not None or _listens(port))
        assert server.poll() is None, (folder / "nginx.log").read_text()
        yield Proxy(stack, port, plain_port, certificate, webhook)


def _certificate(folder: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    made = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-nodes"]
    files = ["-keyout", str(folder / "site.key"), "-out", str(folder / "site.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *made, *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "site.pem"


def _configuration(folder: Path, stack: Stack, port: int, plain_port: int) -> str:
    """Return the example with the values that a reader must change replaced. Each must occur in it."""
    example = (PROJECT / "docs" / "nginx.conf").read_text()
    changes = {
        "server 127.0.0.1:8000;": f"server {urlsplit(stack.url).netloc};",
        "listen 80;": f"listen {HOST}:{plain_port};",
        "listen 443 ssl;": f"listen {HOST}:{port} ssl;",
        "allow 10.0.0.0/8;": f"allow {STAFF}; allow {COLLEAGUE};",
        "/etc/ssl/links.example.com.pem": f"{folder}/site.pem",
        "/etc/ssl/links.example.com.key": f"{folder}/site.key",
        "/var/log/nginx/linkadmin.error.log": f"{folder}/linkadmin.error.log",
        "https://links.example.com$": f"https://localhost:{port}$",
        "server_name links.example.com;": "server_name localhost;",
    }
    for old, new in changes.items():
        assert old in example
        example = example.replace(old, new)
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    return MAIN.format(folder=folder, temporary=temporary, example=example)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def test_staff_sign_in_through_the_proxy(proxy: Proxy) -> None:
    with proxy.session() as session:
        page = proxy.sign_in(session, "ana", PASSWORD)

        assert page.url == f"{proxy.url}/"
        cookies = {cookie.name.partition("-device")[0] for cookie in session.cookies}
        assert cookies == {"__Host-session", "__Host-csrf", "__Host"}
        assert all(cookie.secure for cookie in session.cookies)


def test_plain_http_leads_to_tls(proxy: Proxy) -> None:
    answer = requests.get(f"http://{HOST}:{proxy.plain_port}/links/", timeout=30, allow_redirects=False)

    assert (answer.status_code, answer.headers["Location"]) == (301, f"{proxy.url}/links/")
    assert answer.headers["Server"] == "nginx"  # no version number


def test_limits_count_by_the_client_s_own_address_whatever_it_claims(proxy: Proxy) -> None:
    with proxy.session(STAFF) as here, proxy.session(COLLEAGUE) as there:
        told = []
        for number in range(22):
            claim = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
            told.append("Too many failed sign-ins" in proxy.sign_in(here, f"name-{number}", "wrong", **claim).text)
            time.sleep(1.1)  # the proxy's own limit isn't tested here
        elsewhere = proxy.sign_in(there, "another", "wrong")

    assert told == [False] * 20 + [True] * 2
    assert "Too many failed sign-ins" not in elsewhere.text


def test_the_internet_reaches_only_webhooks_and_customers_pages(proxy: Proxy) -> None:
    with proxy.session(STRANGER) as session:
        pages = ["/", "/accounts/login/", "/admin/", "/links/", "/links/repair/"]
        statuses = [session.get(proxy.url + page, timeout=30).status_code for page in pages]
        sent = session.post(
            proxy.url + proxy.webhook, belvo_webhook(), headers={"Authorization": AUTHORIZATION}, timeout=30
        )
        unknown = session.post(proxy.url + UNKNOWN, b"{}", timeout=30)
        read = session.get(proxy.url + proxy.webhook, timeout=30)
        watched = session.get(f"{proxy.url}/healthz/", timeout=30)
        repair = session.get(f"{proxy.url}/repair/{'a' * 43}/", timeout=30)
        paths = re.findall(r'href="(/static/[^"]+)"', repair.text)
        styles = [session.get(urljoin(repair.url, path), timeout=30) for path in paths]

    assert statuses == [403] * len(pages)
    assert (repair.status_code, {each.status_code for each in styles}) == (410, {200})
    assert (sent.status_code, unknown.status_code) == (202, 401)
    assert (read.status_code, watched.status_code) == (403, 404)


def test_webhook_that_is_too_long_is_rejected_by_the_proxy(proxy: Proxy) -> None:
    with proxy.session(STRANGER) as session:
        session.post(f"{proxy.url}{proxy.webhook}?short", b"x", timeout=30)
        answer = session.post(f"{proxy.url}{proxy.webhook}?too-long", b"x" * (64 * 1024 + 1), timeout=30)

    assert answer.status_code == 413
    wait_for(lambda: proxy.stack.served_by(f"POST {proxy.webhook}?short"))
    assert not proxy.stack.served_by(f"POST {proxy.webhook}?too-long")


def test_bodies_that_drip_never_reach_the_web_processes(proxy: Proxy) -> None:
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    head = f"POST {proxy.webhook}?dripping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n".encode()
    with ExitStack() as lines:
        dripping = []
        for _ in range(40):
            raw = lines.enter_context(socket.create_connection((HOST, proxy.port), timeout=30))
            line = lines.enter_context(context.wrap_socket(raw, server_hostname="localhost"))
            line.sendall(head)
            dripping.append(line)
        for _ in range(5):
            for line in dripping:
                line.sendall(b"x")
            time.sleep(0.1)

        with proxy.session(COLLEAGUE) as session:
            assert session.get(f"{proxy.url}/accounts/login/", timeout=30).status_code == 200

    assert not proxy.stack.served_by(f"POST {proxy.webhook}?dripping")


def test_no_log_of_the_proxy_holds_the_address_of_a_webhook(proxy: Proxy) -> None:
    with proxy.session(STRANGER) as session:
        session.post(proxy.url + proxy.webhook, b"x" * (64 * 1024 + 1), timeout=30)
        session.get(proxy.url + proxy.webhook, timeout=30)
        session.post(f"http://{HOST}:{proxy.plain_port}{proxy.webhook}", b"{}", timeout=30, allow_redirects=False)

    logs = "".join(path.read_text() for path in proxy.stack.folder.glob("*.log"))
    assert not re.search(re.escape(proxy.webhook.split("/")[-2]), logs)
