"""Automatic retries: the table of outcomes and calls, over real sockets."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Busy, Failure, NotSent, OutcomeUnknown, ProviderError
from linkadmin.providers.http.admission import Denial, HealthSignal, Rate
from linkadmin.providers.http.retries import ATTEMPTS, Backoff, RetryLoop, RetryPolicy
from linkadmin.providers.types import Deadlines, LinkRef, NewLink, Secret

from .conftest import Behaviour, RecordingAdmission, Script, read_request, reply, send
from .faults import reset

Serve = Callable[..., Script]

LINK_ID = "30cb4806-6e00-48a4-91c9-ca55968576c8"
GOOD_LINK = {"id": LINK_ID, "institution": "erebor_mx_retail", "status": "valid"}
CHALLENGE = {"session": "s1", "expiry": 60, "link": LINK_ID}


def belvo(
    url: str, admission: RecordingAdmission, *, seconds: float = 30.0, backoff: Backoff | None = None
) -> Provider:
    return provider_class("belvo")(
        base_url=url,
        options={},
        secrets={"secret_id": Secret("our-secret-id"), "secret_password": Secret("our-secret-password")},
        deadlines=Deadlines(seconds, seconds, seconds),
        allow_loopback=True,
        admission=admission,
        backoff=backoff or Backoff(0.0, 0.0),
    )


def heron(url: str, admission: RecordingAdmission) -> Provider:
    return provider_class("heron")(
        base_url=url,
        options={"integration_id": "itg_1"},
        secrets={"api_key": Secret("key_0123456789abcdef")},
        allow_loopback=True,
        admission=admission,
    )


def wait_for_the_end(connection: socket.socket) -> None:
    connection.recv(1)


CALLS: dict[str, Callable[[Provider], object]] = {
    "read": lambda provider: provider.read_link(LinkRef(LINK_ID, "cust-1")),
    "create": lambda provider: provider.create_link(NewLink("cust-1", "", "erebor_mx_retail", {})),
    "update": lambda provider: provider.update_credentials(LinkRef(LINK_ID, "c"), {"password": Secret("pass-word")}),
    "code": lambda provider: provider.submit_code(
        session=Secret("session-1"), remote_link_id=LINK_ID, code=Secret("11")
    ),
}
ANSWERS: dict[str, Behaviour] = {
    "408": reply(408, [{"code": "request_timeout"}]),
    "500": reply(500, [{"code": "unexpected_error"}]),
    "503": reply(503, b"<html>"),
    "reset": reset,
    "time-out": wait_for_the_end,
    "cut answer": send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id"'),
    "unreadable": reply(200, b"<html>"),
    "redirect": reply(302, None, Location="/elsewhere"),
    "429 with a short pause": reply(429, [], Retry_After="0"),
    "429 with a long pause": reply(429, [], Retry_After="60"),
    "429 without a pause": reply(429, []),
    **{str(status): reply(status, []) for status in (400, 401, 403, 404, 409, 422)},
    "428": reply(428, CHALLENGE),
}
READ_AGAIN = ("408", "500", "503", "reset", "time-out", "cut answer", "429 with a short pause")


@pytest.mark.deep
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_each_call_is_retried_after_each_answer_as_the_table_says(serve: Serve, call: str, answer: str) -> None:
    script, admission = serve(ANSWERS[answer]), RecordingAdmission()
    seconds = 60.0 if answer != "time-out" else 6.0 if call == "read" else 1.5  # a read's last try has a ninth of it

    with pytest.raises(ProviderError):
        CALLS[call](belvo(script.url, admission, seconds=seconds))

    expected = 3 if call == "read" and answer in READ_AGAIN else 1
    expected += answer == "403"  # one cheap read
    assert (len(script.received), admission.attempts) == (expected, expected)


@pytest.mark.parametrize(("call", "attempts"), [("read", 3), ("create", 3), ("update", 1), ("code", 1)])
def test_what_was_not_sent_is_sent_again_only_where_a_person_need_not_decide(call: str, attempts: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    admission = RecordingAdmission()

    with pytest.raises(NotSent):
        CALLS[call](belvo(url, admission))

    assert admission.attempts == attempts
    assert [result.signal for result in admission.results] == [HealthSignal.FAILS] * attempts


def test_create_whose_second_try_was_sent_is_not_sent_a_third_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    accepted: list[socket.socket] = []
    servers: list[threading.Thread] = []

    def start_listening(_seconds: float) -> None:
        server = socket.create_server(("127.0.0.1", port))
        servers.append(threading.Thread(target=lambda: accepted.append(hang_up(server)), daemon=True))
        servers[-1].start()

    admission = RecordingAdmission()
    with pytest.raises(OutcomeUnknown):
        CALLS["create"](belvo(f"http://127.0.0.1:{port}", admission, backoff=Backoff(0.0, 0.0, sleep=start_listening)))

    for server in servers:
        server.join(60)
    assert (admission.attempts, len(accepted)) == (2, 1)


def hang_up(server: socket.socket) -> socket.socket:
    """Accept one call and close the connection."""
    with server, server.accept()[0] as connection:
        read_request(connection)
        return connection


def test_read_that_succeeds_the_second_time_is_a_good_read(serve: Serve) -> None:
    script, admission = serve(reset, reply(200, GOOD_LINK)), RecordingAdmission()

    CALLS["read"](belvo(script.url, admission))

    assert [result.signal for result in admission.results] == [HealthSignal.FAILS, HealthSignal.ANSWERS]


def test_hung_read_is_retried_within_its_one_deadline(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.providers.http.retries.ATTEMPT_SHARE", 0.02)
    script = serve(wait_for_the_end, reply(200, GOOD_LINK))

    CALLS["read"](belvo(script.url, RecordingAdmission(), seconds=30))

    assert len(script.received) == 2


def test_attempts_of_a_read_never_take_longer_than_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = OutcomeUnknown(Failure(operation="belvo.read_link", reason="timeout"))
    now, tries = 100.0, []
    monkeypatch.setattr("linkadmin.providers.http.retries.time", SimpleNamespace(monotonic=lambda: now))
    loop = RetryLoop(RetryPolicy.READ, Backoff(0.0, 0.0), ends_at=now + 9)

    for _each in range(ATTEMPTS):
        tries.append(loop.seconds)
        now += tries[-1] if loop.number < ATTEMPTS else 0
        loop.wait_after(lost)

    assert tries == pytest.approx([6, 2, 1])


def test_slow_answer_to_a_change_has_the_whole_deadline(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that could be retried would end long before this response."""
    monkeypatch.setattr("linkadmin.providers.http.retries.ATTEMPT_SHARE", 0.001)

    def slowly(connection: socket.socket) -> None:
        time.sleep(0.4)
        reply(200, GOOD_LINK)(connection)

    CALLS["update"](belvo(serve(slowly).url, RecordingAdmission(), seconds=60))


def test_pauses_are_full_jitter_that_doubles(serve: Serve) -> None:
    slept: list[float] = []

    with pytest.raises(OutcomeUnknown):
        CALLS["read"](
            belvo(
                serve(reset).url,
                RecordingAdmission(),
                backoff=Backoff(0.5, 20.0, chance=lambda: 0.5, sleep=slept.append),
            )
        )

    assert slept == [0.25, 0.5]


def test_pause_is_capped_and_never_shorter_than_asked_for() -> None:
    backoff = Backoff(0.5, 20.0, chance=lambda: 1.0)

    assert backoff.before_retry(9, Busy(Failure("heron.read_link"))) == 20.0
    assert backoff.before_retry(1, Busy(Failure("heron.read_link", retry_after=7.0))) == 7.0


def test_call_ends_where_no_other_attempt_is_admitted(serve: Serve) -> None:
    script, admission = serve(reset), RecordingAdmission(retries=1)

    with pytest.raises(OutcomeUnknown):
        CALLS["read"](belvo(script.url, admission))

    assert len(script.received) == 2
    assert len(admission.results) == 2


@pytest.mark.usefixtures("still")
def test_denied_call_was_not_sent(serve: Serve) -> None:
    script, soon = serve(reply(200, GOOD_LINK)), datetime.now(UTC) + timedelta(seconds=12)

    with pytest.raises(NotSent) as caught:
        CALLS["read"](belvo(script.url, RecordingAdmission(denial=Denial("paused", soon))))

    assert (caught.value.failure.reason, caught.value.failure.retry_after) == ("paused", 12.0)
    assert script.received == []


def test_address_that_is_not_on_the_list_takes_no_slot() -> None:
    admission = RecordingAdmission()

    with pytest.raises(NotSent) as caught:
        CALLS["read"](belvo("https://belvo.example.com", admission))

    assert (caught.value.failure.reason, admission.attempts) == ("address_refused", 0)


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({"x_ratelimit_limit": "100", "x_ratelimit_remaining": "60"}, (100, 60)),
        ({"x_ratelimit_limit": "0", "x_ratelimit_remaining": "0"}, None),
        ({"x_ratelimit_limit": "many", "x_ratelimit_remaining": "1"}, None),
        ({"x_ratelimit_remaining": "1"}, None),
    ],
)
def test_every_answer_of_heron_tells_its_rate(
    serve: Serve, headers: dict[str, str], rate: tuple[int, int] | None
) -> None:
    admission = RecordingAdmission()
    script = serve(reply(200, {"hello": "you"}, x_ratelimit_reset=str(int(time.time()) + 30), **headers))

    heron(script.url, admission).test_connection()

    told = admission.results[0].rate
    assert (told and (told.calls, told.left)) == rate
    assert told is None or (told.scope == "test_connection" and told.ends_in == 30)


@pytest.mark.parametrize(
    ("answer", "rate"),
    [
        (reply(429, [], Retry_After="40"), Rate("", 40.0)),
        (reply(429, [], Retry_After="soon"), Rate("", None)),
        (reply(429, []), Rate("", None)),
        (reply(403, b"<html>", Retry_After="900"), None),
        (reply(401, []), None),
        (reply(409, [{"code": "link_refreshed"}], Retry_After="40"), None),
    ],
)
def test_rejection_that_asks_to_wait_tells_for_which_calls(serve: Serve, answer: Behaviour, rate: Rate | None) -> None:
    admission = RecordingAdmission()

    with pytest.raises(ProviderError):
        CALLS["read"](belvo(serve(answer).url, admission))

    assert admission.results[-1].rate == rate
