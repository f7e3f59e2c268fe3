"""The HTTP client with slow, broken and hostile servers. All over real sockets."""

import gzip
import logging
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from linkadmin.providers.errors import CodeRequired, NotSent, OutcomeUnknown, ProviderError
from linkadmin.providers.http.client import HttpClient, Message
from linkadmin.providers.http.retries import RetryPolicy
from linkadmin.providers.types import LinkRef, Secret

from .conftest import RecordingAdmission, Script, belvo_at, read_request, reply, send

Serve = Callable[..., Script]

LINK_ID = "30cb4806-6e00-48a4-91c9-ca55968576c8"
GOOD_LINK = {"id": LINK_ID, "institution": "erebor_mx_retail", "status": "valid"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def failed_read(url: str, *, seconds: float = 60.0) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        belvo_at(url, read=seconds).read_link(LinkRef(LINK_ID, "cust-0001"))
    return caught.value


def failed_update(url: str, *, seconds: float = 60.0) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        belvo_at(url, credentials=seconds).update_credentials(
            LinkRef(LINK_ID, "cust-0001"), {"password": Secret("canary-pässword"), "token": Secret("canary-token")}
        )
    return caught.value


def drip(octets: bytes, *, seconds_apart: float) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        for octet in octets:
            connection.sendall(bytes([octet]))
            time.sleep(seconds_apart)

    return behave


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="silence"),
        pytest.param(HEAD + b"X-Long: " + b"a" * 10_000, id="dripping headers"),
        pytest.param(HEAD + b"Content-Length: 10000\r\n\r\n" + b" " * 10_000, id="dripping body"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, id="endless interim answers"),
    ],
)
def test_a_call_ends_at_its_deadline_however_the_answer_drips(serve: Serve, octets: bytes) -> None:
    def behave(connection: socket.socket) -> None:
        drip(octets, seconds_apart=0.02)(connection)
        script.stopping.wait(60)
        ended.set()

    script, ended = serve(behave), threading.Event()
    error = failed_read(script.url, seconds=1)
    assert not ended.is_set()
    assert isinstance(error, OutcomeUnknown)
    assert error.failure.reason == "timeout"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        pytest.param(reset, "reset", id="reset after the request"),
        pytest.param(send(b""), "reset", id="hung up without a word"),
        pytest.param(send(HEAD + b'Content-Length: 500\r\n\r\n{"id"'), "cut", id="cut body"),
        pytest.param(send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"), "cut", id="cut chunk"),
        pytest.param(send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "unreadable", id="another protocol"),
        pytest.param(reply(200, b" " * (1024 * 1024 + 1)), "oversized", id="announced too long"),
        pytest.param(send(HEAD + b"\r\n" + b" " * (1024 * 1024 + 1)), "oversized", id="unannounced too long"),
        pytest.param(
            reply(200, gzip.compress(b" " * 20_000_000), Content_Encoding="gzip"), "oversized", id="small but swells"
        ),
        pytest.param(
            send(HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(101)) + b"\r\n"), "unreadable", id="101 headers"
        ),
        pytest.param(reply(200, b"<html>"), "unreadable", id="a web page"),
        pytest.param(reply(200, [GOOD_LINK]), "unreadable", id="a list for an object"),
        pytest.param(reply(200, {"id": LINK_ID}), "unreadable", id="fields missing"),
        pytest.param(reply(200), "unreadable", id="empty"),
        pytest.param(reply(200, {**GOOD_LINK, "id": "another-link"}), "unreadable", id="another link"),
        pytest.param(reply(200, b'{"id": NaN}'), "unreadable", id="NaN"),
        pytest.param(reply(200, b"[" * 100_000), "unreadable", id="endless depth"),
    ],
)
def test_an_answer_that_is_lost_leaves_the_outcome_open(
    serve: Serve, behaviour: Callable[[socket.socket], None], reason: str
) -> None:
    error = failed_update(serve(behaviour).url)
    assert type(error) is OutcomeUnknown
    assert error.outcome_unknown
    assert error.failure.reason == reason


@pytest.mark.parametrize("status", [301, 302, 307, 308, 408, 418, 451, 500, 502, 503, 504])
def test_a_status_that_is_no_rejection_leaves_the_outcome_open(serve: Serve, status: int) -> None:
    error = failed_update(serve(reply(status, [{"code": "said", "message": "Words", "request_id": "r1"}])).url)
    assert type(error) is OutcomeUnknown
    assert (error.failure.status, error.failure.code, error.failure.request_id) == (status, "said", "r1")


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    elsewhere = serve(reply(200, GOOD_LINK))
    script = serve(reply(302, None, Location=f"{elsewhere.url}/api/links/"))
    error = failed_read(script.url)
    assert isinstance(error, OutcomeUnknown)
    assert elsewhere.received == []


def test_a_change_is_sent_once_even_when_the_connection_breaks(serve: Serve) -> None:
    script = serve(reset)
    failed_update(script.url)
    assert len(script.received) == 1


def test_a_refused_connection_means_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failed_update(f"http://127.0.0.1:{port}")
    assert type(error) is NotSent
    assert not error.outcome_unknown


def test_an_unknown_host_means_nothing_was_sent() -> None:
    door = HttpClient(
        "https://no-such-host.invalid",
        allowed_hosts={"no-such-host.invalid"},
        admission=RecordingAdmission(retries=0),
    )
    with pytest.raises(NotSent) as caught:
        door.call(
            "test",
            Message("GET", "/"),
            deadline=5,
            read=lambda answer: answer,
            refuse=lambda _: pytest.fail("answered"),
            rate=lambda _answer, _error: None,
            policy=RetryPolicy.NEVER,
        )
    assert caught.value.failure.reason == "not_connected"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[str]:
    """Answer one call with a link over TLS, with a certificate for 127.0.0.1 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with suppress(OSError), listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as safe:
                read_request(safe)
                reply(200, GOOD_LINK)(safe)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


def test_a_certificate_that_nobody_vouches_for_means_nothing_was_sent(tls_server: str) -> None:
    error = failed_update(tls_server)
    assert (type(error), error.failure.reason) == (NotSent, "tls")


def test_a_certificate_of_another_name_means_nothing_was_sent(
    tls_server: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    error = failed_update(tls_server.replace("127.0.0.1", "localhost"))
    assert (type(error), error.failure.reason) == (NotSent, "tls")


def test_a_trusted_certificate_of_the_right_name_is_spoken_to(
    tls_server: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    link = belvo_at(tls_server).read_link(LinkRef(LINK_ID, "cust-0001"))
    assert link.remote_id == LINK_ID


def self_signed(folder: Path) -> Path:
    path = folder / "server.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = ["openssl", "req", "-x509", *new_key, *subject, "-keyout", path, "-out", folder / "certificate.pem"]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (folder / "certificate.pem").read_bytes())
    return path


def test_a_tls_handshake_that_never_ends_is_cut_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = failed_update(f"https://127.0.0.1:{listener.getsockname()[1]}", seconds=0.4)
    assert (type(error), error.failure.reason) == (NotSent, "timeout")


def test_a_host_that_is_not_on_the_list_is_not_called() -> None:
    error = failed_update("https://belvo.example.com")
    assert type(error) is NotSent


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_environment_proxies_are_ignored(serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    script = serve(reply(200, GOOD_LINK))
    belvo_at(script.url).read_link(LinkRef(LINK_ID, "cust-0001"))
    assert script.received[0].path == f"/api/links/{LINK_ID}/"


def test_a_call_says_who_we_are_and_asks_for_plain_bytes(serve: Serve) -> None:
    script = serve(reply(200, GOOD_LINK))
    belvo_at(script.url).read_link(LinkRef(LINK_ID, "cust-0001"))
    headers = script.received[0].headers
    assert headers["user-agent"].startswith("linkadmin/")
    assert headers["accept-encoding"] == "identity"
    assert headers["connection"] == "close"
    assert "cookie" not in headers


def test_no_thread_and_no_socket_is_left_behind(serve: Serve) -> None:
    script = serve(reply(200, GOOD_LINK))
    before = threading.active_count()
    belvo_at(script.url).read_link(LinkRef(LINK_ID, "cust-0001"))
    failed_update(serve(reset).url)
    deadline = time.monotonic() + 60
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before + 1  # the second script


CANARIES = ("canary-pässword", "canary-token", "our-secret-password")


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(reset, id="reset"),
        pytest.param(reply(200, b"<html>canary-token"), id="unreadable"),
        pytest.param(reply(500, b"canary-token"), id="server error"),
        pytest.param(reply(400, [{"code": "login_error", "message": "canary-token was wrong"}]), id="echo"),
        pytest.param(reply(400, [{"code": "x", "message": "our-secret-password?"}]), id="echo of a key"),
        pytest.param(reply(403, b"<html>canary-token"), id="web page"),
        pytest.param(
            reply(428, {"session": "s1", "expiry": 60, "link": LINK_ID, "message": "canary-token"}), id="code needed"
        ),
    ],
)
def test_an_error_carries_no_secret_in_text_chain_or_frames(
    serve: Serve, caplog: pytest.LogCaptureFixture, behaviour: Callable[[socket.socket], None]
) -> None:
    caplog.set_level(logging.DEBUG)
    error = failed_update(serve(behaviour).url)
    assert error.__cause__ is None
    assert error.__context__ is None
    texts = [repr(error), str(error), repr(error.failure), repr(error.observation), caplog.text, *frame_texts(error)]
    assert not [canary for canary in CANARIES if any(canary in text for text in texts)]


def frame_texts(error: BaseException) -> Iterator[str]:
    """Return all local variables of our own frames, as an error tracker would."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "/linkadmin/" in frame.f_code.co_filename:
            yield from (repr(value) for value in frame.f_locals.values())


def test_a_challenge_shows_neither_its_session_nor_its_value(serve: Serve) -> None:
    data = {"type": "numeric", "value": "value-of-this-challenge", "instructions": "Type it"}
    body = {"session": "session-of-this-attempt", "expiry": 60, "link": LINK_ID, "token_generation_data": data}
    error = failed_update(serve(reply(428, body)).url)
    assert isinstance(error, CodeRequired)
    texts = [repr(error.challenge), *frame_texts(error)]
    assert not [text for text in texts if "session-of-this-attempt" in text or "value-of-this-challenge" in text]


def test_the_log_has_one_line_per_call_with_named_values_only(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failed_update(serve(reply(400, [{"code": "login_error", "message": "No", "request_id": "abc123"}])).url)
    lines = [record.getMessage() for record in caplog.records if "provider.call" in record.getMessage()]
    assert len(lines) == 1
    assert "belvo.update_credentials" in lines[0]
    assert "abc123" in lines[0]
    assert "Authorization" not in caplog.text
