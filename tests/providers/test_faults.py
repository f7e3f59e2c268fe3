"""No server can hang a call, fill memory or fake a success. All over real sockets."""

import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from linkadmin.providers.errors import KeysRejected, NotFound, NotSent, OutcomeUnknown, Rejected

from .conftest import Behaviour, Script, belvo_at, reply, send
from .faults import GOOD_LINK, LINK, Deaf, change, drip, endless, reset, stall, suffer, suffer_until_received

Serve = Callable[..., Script]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = json.dumps(GOOD_LINK).encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)
BOMB = gzip.compress(b" " * 20_000_000)

HEAD_FAULTS = {
    "headers without end": (endless(HEAD, b"X-More: 1\r\n"), "unreadable"),
    "101 headers": (send(HEAD + b"X-More: 1\r\n" * 100 + b"\r\n" + BODY), "unreadable"),
    "a header line without end": (endless(HEAD + b"X-Long: ", b"a"), "oversized"),
    "a status line without end": (endless(b"HTTP/1.1 200 ", b"a"), "oversized"),
    "90 headers of 60 kB": (send(HEAD + (b"X-Long: " + b"a" * 60_000 + b"\r\n") * 90 + b"\r\n" + BODY), "oversized"),
    "headers of 70 kB in all": (send(HEAD + (b"X-Long: " + b"a" * 1_000 + b"\r\n") * 70 + b"\r\n" + BODY), "oversized"),
    "interim answers without end": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "oversized"),
    "early hints without end": (endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), "oversized"),
    "no head": (send(BODY), "unreadable"),
    "a web page without head": (send(b"<html><body>Welcome</body></html>\r\n"), "unreadable"),
    "the greeting of HTTP/2": (send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "unreadable"),
    "a frame of HTTP/2": (send(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80" * 9), "unreadable"),
    "a status that is a word": (send(b"HTTP/1.1 fine OK\r\n\r\n" + BODY), "unreadable"),
    "a status of two digits": (send(b"HTTP/1.1 20 OK\r\n\r\n" + BODY), "unreadable"),
    "a status of four digits": (send(b"HTTP/1.1 2000 OK\r\n\r\n" + BODY), "unreadable"),
    "a status that is missing": (send(b"HTTP/1.1\r\n\r\n" + BODY), "unreadable"),
    "a later HTTP": (send(b"HTTP/3.0 200 OK\r\n\r\n" + BODY), "unreadable"),
    "empty lines first": (send(b"\r\n\r\n" + HEAD + b"\r\n" + BODY), "unreadable"),
    "hung up in the status line": (send(b"HTTP/1.1 2"), "unreadable"),
    "hung up in the headers": (send(HEAD), "cut"),
    "hung up in a header": (send(HEAD + b"Content-Le"), "cut"),
}

LENGTH_FAULTS = {
    f"Content-Length: {said[:20]}": (
        send(HEAD + b"Content-Length: " + said.encode() + b"\r\n\r\n" + BODY),
        "unreadable",
    )
    for said in ("-1", "-90", "+90", "0x5a", "ninety", "9e1", "9_0", "90, 90", "90, 91", "", "9.0", "1" * 5000)
} | {
    "two lengths": (send(HEAD + b"Content-Length: 90\r\nContent-Length: 3\r\n\r\n" + BODY), "unreadable"),
    "the same length twice": (send(HEAD + b"Content-Length: %d\r\n" % len(BODY) * 2 + b"\r\n" + BODY), "unreadable"),
    "a length and chunks": (
        send(HEAD + b"Content-Length: 90\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK),
        "unreadable",
    ),
    "longer than announced": (send(HEAD + b"Content-Length: 40\r\n\r\n" + BODY), "unreadable"),
    "shorter than announced": (send(HEAD + b"Content-Length: 400\r\n\r\n" + BODY), "cut"),
    "announced too long": (send(HEAD + b"Content-Length: 1048577\r\n\r\n" + BODY), "oversized"),
    "announced far too long": (send(HEAD + b"Content-Length: 99999999999999999\r\n\r\n" + BODY), "oversized"),
    "a body without end": (endless(HEAD + b"\r\n", b" "), "oversized"),
    "another transfer encoding": (send(HEAD + b"Transfer-Encoding: gzip\r\n\r\n" + BODY), "unreadable"),
    "chunked twice": (send(HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNK), "unreadable"),
    "a chunk without size": (send(CHUNKED + b"\r\n" + CHUNK), "cut"),
    "a chunk of a word": (send(CHUNKED + b"many\r\n" + BODY), "cut"),
    "a chunk of minus one": (send(CHUNKED + b"-1\r\n" + BODY + b"\r\n0\r\n\r\n"), "cut"),
    "a chunk of minus one without end": (endless(CHUNKED + b"-1\r\n", b" "), "oversized"),
    "a chunk of minus five": (send(CHUNKED + b"-5\r\n" + BODY + b"\r\n0\r\n\r\n"), "broken"),
    "a chunk cut short": (send(CHUNKED + b"ffff\r\n" + BODY), "cut"),
    "a huge chunk": (endless(CHUNKED + b"7fffffffffffffff\r\n", b" "), "oversized"),
    "chunks without the last": (send(CHUNKED + CHUNK), "broken"),
    "chunks without end": (endless(CHUNKED, CHUNK), "oversized"),
    "a chunk's size without end": (endless(CHUNKED, b"0"), "broken"),
    "a chunk's extension without end": (endless(CHUNKED + b"5;x=", b"a"), "broken"),
    "a trailer without end": (endless(CHUNKED + CHUNK + b"0\r\nX-Trailer: ", b"a"), "broken"),
    "trailers without end": (endless(CHUNKED + CHUNK + b"0\r\n", b"X-Trailer: " + b"1" * 999 + b"\r\n"), "oversized"),
}

ENCODING_FAULTS = {
    "gzip that swells": (reply(200, BOMB, Content_Encoding="gzip"), "oversized"),
    "gzip in gzip": (reply(200, gzip.compress(gzip.compress(BODY)), Content_Encoding="gzip, gzip"), "unreadable"),
    "gzip in gzip, told once": (reply(200, gzip.compress(BOMB), Content_Encoding="gzip"), "unreadable"),
    "gzip many times": (reply(200, BODY, Content_Encoding=", ".join(["gzip"] * 500)), "unreadable"),
    "gzip without its end": (reply(200, gzip.compress(BODY)[:-8], Content_Encoding="gzip"), "unreadable"),
    "gzip with a wrong sum": (
        reply(200, gzip.compress(BODY)[:-8] + b"12345678", Content_Encoding="gzip"),
        "unreadable",
    ),
    "gzip and more": (reply(200, gzip.compress(BODY) + b"x", Content_Encoding="gzip"), "unreadable"),
    "gzip that is none": (reply(200, BODY, Content_Encoding="gzip"), "unreadable"),
    "deflate that swells": (reply(200, zlib.compress(b" " * 20_000_000), Content_Encoding="deflate"), "unreadable"),
    "br": (reply(200, b"\x1b\x0f\x00\xf8\x25" * 9, Content_Encoding="br"), "unreadable"),
    "an unknown encoding": (reply(200, BODY, Content_Encoding="rot13"), "unreadable"),
}

CONNECTION_FAULTS = {
    "hung up without a word": (send(b""), "reset"),
    "reset without a word": (reset(), "reset"),
    "reset in the headers": (reset(HEAD), "reset"),
    "reset in the body": (reset(HEAD + b"Content-Length: 500\r\n\r\n" + BODY), "reset"),
    "reset in a chunk": (reset(CHUNKED + b"ffff\r\n" + BODY), "reset"),
}

FAULTS = HEAD_FAULTS | LENGTH_FAULTS | ENCODING_FAULTS | CONNECTION_FAULTS


@pytest.mark.parametrize(("behaviour", "reason"), FAULTS.values(), ids=FAULTS.keys())
def test_a_broken_answer_ends_at_once_with_an_open_outcome(serve: Serve, behaviour: Behaviour, reason: str) -> None:
    url = serve(behaviour).url
    ending = suffer(lambda: change(url, seconds=60), within=60)
    assert type(ending.error) is OutcomeUnknown
    assert ending.error.failure.reason == reason


def slow(name: str, behaviour: Behaviour, *, thorough: bool = True) -> object:
    return pytest.param(behaviour, id=name, marks=[pytest.mark.thorough] if thorough else [])


@pytest.mark.parametrize(
    "behaviour",
    [
        slow("nothing", stall(), thorough=False),
        slow("bytes of a header", drip(HEAD + b"X-Long: ", b"a"), thorough=False),
        slow("bytes of the status line", drip(b"", b"HTTP/1.1 200 OK")),
        slow("interim answers", drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        slow("half a head", stall(HEAD)),
        slow("a head without body", stall(HEAD + b"Content-Length: 90\r\n\r\n")),
        slow("bytes of a body", drip(HEAD + b"Content-Length: 90000\r\n\r\n", b" "), thorough=False),
        slow("bytes of a body without length", drip(HEAD + b"\r\n", b" ")),
        slow("small chunks", drip(CHUNKED, b"1\r\n \r\n")),
        slow("bytes of a chunk's size", drip(CHUNKED, b"0")),
        slow("a whole answer without its end", stall(HEAD + b"\r\n" + BODY)),
        slow("all chunks but the last", stall(CHUNKED + CHUNK)),
        slow("bytes of a trailer", drip(CHUNKED + CHUNK + b"0\r\nX: ", b"a")),
        slow("chunks of one byte without end", endless(CHUNKED, b"1\r\n \r\n")),
    ],
)
def test_a_slow_answer_ends_at_the_deadline_with_an_open_outcome(serve: Serve, behaviour: Behaviour) -> None:
    script = serve(behaviour)
    ending = suffer_until_received(script.url, script.received)
    assert type(ending.error) is OutcomeUnknown
    assert ending.error.failure.reason == "timeout"


@pytest.fixture
def serve_deaf() -> Iterator[Callable[[Behaviour], Script]]:
    started: list[Deaf] = []

    def start(behaviour: Behaviour) -> Script:
        started.append(Deaf([behaviour]))
        return started[-1]

    yield start
    for script in started:
        script.stop()


@pytest.mark.parametrize("octets", [b"", HEAD + b"Content-Length: 500\r\n\r\n"], ids=["nothing", "half an answer"])
def test_a_reset_before_the_request_was_read_proves_nothing(
    serve_deaf: Callable[[Behaviour], Script], octets: bytes
) -> None:
    def behave(connection: socket.socket) -> None:
        time.sleep(0.05)  # the request was sent and waits in the buffer
        reset(octets)(connection)

    url = serve_deaf(behave).url
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert type(error) is OutcomeUnknown
    assert error.failure.reason in {"reset", "cut"}


def test_a_server_that_never_accepts_is_left_in_time_with_nothing_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as first:
        first.connect(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with socket.socket() as second:
            second.settimeout(0.05)
            second.connect_ex(listener.getsockname())
            ending = suffer(lambda: change(url, seconds=1.5), within=1.5)
    assert (type(ending.error), ending.error.failure.reason) == (NotSent, "timeout")


def test_a_server_that_rejects_is_left_at_once_with_nothing_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ending = suffer(lambda: change(url, seconds=60), within=0)
    assert (type(ending.error), ending.error.failure.reason) == (NotSent, "not_connected")


@pytest.mark.parametrize("body", [b"", BODY], ids=["empty", "with a body"])
@pytest.mark.parametrize("status", [102, 103, 199, 204, 205, 299, 304, 408, 418, 499, 500, 502, 503, 511, 600, 999])
def test_a_status_that_is_no_rejection_is_never_a_success_without_a_link(
    serve: Serve, status: int, body: bytes
) -> None:
    is_success = 200 <= status < 300 and status != 204 and body
    script = serve(reply(status, body))
    if is_success:
        change(script.url, seconds=60)
    else:
        error = suffer(lambda: change(script.url, seconds=60), within=60).error
        assert type(error) is OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OutcomeUnknown),
        (400, Rejected),
        (403, KeysRejected),
        (404, NotFound),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html><title>canary-token</title>", b"", b"\xff\xfe\x00", b"canary-token"]
)
def test_a_page_in_place_of_json_is_judged_by_its_status(
    serve: Serve, status: int, kind: type[Exception], page: bytes
) -> None:
    url = serve(reply(status, page, Content_Type="text/html")).url
    error = suffer(lambda: change(url, seconds=60), within=60).error
    assert type(error) is kind
    assert "canary" not in repr(error.failure)


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


LOCATIONS = {
    "another host": "http://localhost:{elsewhere}/api/links/",
    "the same host": "/api/links/",
    "a file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
    "an address that is none": "http://[",
    "bytes": "\xff\xfe",
    "nowhere": "",
}


@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS.keys())
@pytest.mark.parametrize("status", range(300, 309))
def test_no_redirect_is_followed(serve: Serve, elsewhere: socket.socket, status: int, location: str) -> None:
    target = location.format(elsewhere=elsewhere.getsockname()[1]).encode("latin-1")
    head = b"HTTP/1.1 %d Found\r\n" % status + (b"Location: %b\r\n" % target if target else b"")
    script = serve(send(head + b"Content-Length: 0\r\n\r\n"))
    error = suffer(lambda: change(script.url, seconds=60), within=60).error
    assert (type(error), error.failure.status) == (OutcomeUnknown, status)
    assert len(script.received) == 1
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


@pytest.mark.parametrize("encoding", [b"", b"Content-Encoding: gzip\r\n"], ids=["plain", "compressed"])
def test_the_body_of_a_redirect_is_not_read_without_end(serve: Serve, encoding: bytes) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n" + encoding + b"\r\n"
    url = serve(endless(head, BOMB)).url
    ending = suffer(lambda: change(url, seconds=60), within=60)
    assert (type(ending.error), ending.error.failure.reason) == (OutcomeUnknown, "oversized")


GOOD = {
    "a length": HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "no length": HEAD + b"\r\n" + BODY,
    "more than announced": HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY + b"HTTP/1.1 500 No\r\n\r\n",
    "chunks": CHUNKED + b"".join(b"1;x=y\r\n%c\r\n" % octet for octet in BODY) + b"0\r\nX-Trailer: 1\r\n\r\n",
    "99 headers": HEAD + b"X-More: 1\r\n" * 98 + b"\r\n" + BODY,
    "headers of 60 kB": HEAD + b"X-Long: " + b"a" * 60_000 + b"\r\n\r\n" + BODY,
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 9
    + HEAD + b"\r\n" + BODY,
    "gzip though nobody asked": HEAD + b"Content-Encoding: GZIP\r\n\r\n" + gzip.compress(BODY),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "a megabyte": HEAD + b"\r\n" + BODY + b" " * (1024 * 1024 - len(BODY)),
    "a cookie of blanks": HEAD + b"Set-Cookie: a=b; expires=" + b" 0-" * 20_000 + b"\r\n\r\n" + BODY,
}  # fmt: skip


@pytest.mark.parametrize("octets", GOOD.values(), ids=GOOD.keys())
def test_a_good_answer_is_read_however_it_is_wrapped(serve: Serve, octets: bytes) -> None:
    link = belvo_at(serve(send(octets)).url, read=3).read_link(LINK)
    assert link.remote_id == GOOD_LINK["id"]
