"""Nothing is sent without valid TLS. Real handshakes with generated certificates."""

import shutil
import socket
import ssl
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkadmin.providers.errors import NotSent, OutcomeUnknown

from .conftest import Behaviour, read_request, reply, send
from .faults import GOOD_LINK, Deaf, change, drip, endless, reset, stall, suffer, suffer_until_received

Start = Callable[[Behaviour], str]

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a CA and certificates: for us, for another name, and an expired one."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates")
    path = tmp_path_factory.mktemp("tls")
    openssl(path, "req", "-x509", *KEY, "-subj", "/CN=authority", "-keyout", "authority.key", "-out", "authority.pem")
    sign(path, "good", name="IP:127.0.0.1", days=1)
    sign(path, "other", name="DNS:api.example.com,IP:127.0.0.2", days=1)
    sign(path, "expired", name="IP:127.0.0.1", days=-1)
    openssl(path, "req", "-x509", *KEY, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", "self.key", "-out", "self.pem")  # fmt: skip
    return path


def sign(folder: Path, file: str, *, name: str, days: int) -> None:
    (folder / "names").write_text(f"subjectAltName={name}")
    openssl(folder, "req", *KEY, "-subj", "/CN=127.0.0.1", "-keyout", f"{file}.key", "-out", "request.pem")
    openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "authority.pem", "-CAkey", "authority.key",
            "-CAcreateserial", "-days", str(days), "-extfile", "names", "-out", f"{file}.pem")  # fmt: skip


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(autouse=True)
def _authority_is_trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(folder / "authority.pem"))


@pytest.fixture
def start() -> Iterator[Start]:
    """Serve a behavior that does its own TLS; return its https URL."""
    started: list[Deaf] = []

    def start(behaviour: Behaviour) -> str:
        started.append(Deaf([behaviour]))
        return started[-1].url.replace("http:", "https:")

    yield start
    for script in started:
        script.stop()


class Vault:
    """Wraps a behavior in TLS and stores what it received."""

    def __init__(self, folder: Path, certificate: str, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        self.heard: list[str] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
        if newest < ssl.TLSVersion.TLSv1_2:
            self._context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self._context.minimum_version = self._context.maximum_version = newest

    def over_tls(self, behaviour: Behaviour) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            with self._context.wrap_socket(connection, server_side=True) as safe:
                self.heard.append(read_request(safe).path)
                behaviour(safe)

        return behave


@pytest.mark.parametrize("certificate", ["other", "expired", "self"])
def test_a_certificate_that_does_not_fit_means_nothing_was_sent(start: Start, folder: Path, certificate: str) -> None:
    vault = Vault(folder, certificate)
    url = start(vault.over_tls(reply(200, GOOD_LINK)))
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert (type(error), error.failure.reason) == (NotSent, "tls")
    assert vault.heard == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_an_old_tls_means_nothing_was_sent(start: Start, folder: Path, version: ssl.TLSVersion) -> None:
    vault = Vault(folder, "good", newest=version)
    url = start(vault.over_tls(reply(200, GOOD_LINK)))
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert (type(error), error.failure.reason) == (NotSent, "tls")
    assert vault.heard == []


GREETING = b"\x16\x03\x03\x00\x7a"  # announces a handshake message of 122 bytes


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(send(b""), id="hung up"),
        pytest.param(reset(), id="reset"),
        pytest.param(send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), id="plain HTTP"),
        pytest.param(send(b"\x00" * 200), id="zeros"),
        pytest.param(send(GREETING + b"\x02" * 122), id="a broken greeting"),
        pytest.param(send(GREETING + b"\x02"), id="half a greeting"),
        pytest.param(send(b"\x15\x03\x03\x00\x02\x02\x28"), id="an alert"),
        pytest.param(endless(b"", b"\x16\x03\x03\x40\x00" + b"\x02" * 16384), id="greetings without end"),
    ],
)
def test_a_handshake_that_fails_means_nothing_was_sent(start: Start, behaviour: Behaviour) -> None:
    def after_the_greeting(connection: socket.socket) -> None:
        connection.recv(4096)
        behaviour(connection)

    url = start(after_the_greeting)
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert type(error) is NotSent
    assert error.failure.reason in {"tls", "reset"}


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(stall(), id="nothing"),
        pytest.param(stall(GREETING), id="half a greeting", marks=pytest.mark.thorough),
        pytest.param(drip(b"", GREETING + b"\x02" * 122), id="bytes", marks=pytest.mark.thorough),
    ],
)
def test_a_handshake_that_stalls_is_left_at_the_deadline(start: Start, behaviour: Behaviour) -> None:
    url = start(behaviour)
    error = suffer(lambda: change(url, seconds=0.7), within=0.7).error
    assert (type(error), error.failure.reason) == (NotSent, "timeout")


def cut_off(connection: socket.socket) -> None:
    """Close without TLS close_notify."""
    plain = socket.socket(fileno=connection.detach())
    reset()(plain)
    plain.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n"


@pytest.mark.parametrize(
    "octets",
    [b"", HEAD, HEAD + b"\r\n", HEAD + b'\r\n{"id"'],
    ids=["no answer", "half a head", "a head", "half a body"],
)
def test_a_reset_after_the_request_was_read_leaves_the_outcome_open(start: Start, folder: Path, octets: bytes) -> None:
    vault = Vault(folder, "good")

    def behave(connection: socket.socket) -> None:
        connection.sendall(octets)
        time.sleep(0.02)
        cut_off(connection)

    url = start(vault.over_tls(behave))
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert type(error) is OutcomeUnknown
    assert error.failure.reason in {"reset", "cut", "tls"}
    assert len(vault.heard) == 1


@pytest.mark.thorough
def test_a_body_that_drips_over_tls_is_left_at_the_deadline(start: Start, folder: Path) -> None:
    vault = Vault(folder, "good")
    error = suffer_until_received(start(vault.over_tls(drip(HEAD + b"\r\n", b" "))), vault.heard).error
    assert (type(error), error.failure.reason) == (OutcomeUnknown, "timeout")


def test_headers_without_end_over_tls_are_left_at_once(start: Start, folder: Path) -> None:
    url = start(Vault(folder, "good").over_tls(endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a")))
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert (type(error), error.failure.reason) == (OutcomeUnknown, "oversized")


def test_a_good_certificate_is_spoken_to(start: Start, folder: Path) -> None:
    vault = Vault(folder, "good")
    change(start(vault.over_tls(reply(200, GOOD_LINK))), seconds=60)
    assert len(vault.heard) == 1
