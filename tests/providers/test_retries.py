"""What the machine repeats by itself: the table of outcomes and calls, over real sockets."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from linkadmin.providers import Deadlines, get_provider
from linkadmin.providers.admission import AttemptResult, Denial, HealthSignal, Permit, Rate
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Busy, Failure, NotSent, OutcomeUnknown, ProviderError
from linkadmin.providers.retries import TRIES, Backoff, RetryLoop, RetryPolicy
from linkadmin.providers.types import LinkRef, NewLink, Secret

from .conftest import Behaviour, Script, read_request, reply, send
from .faults import reset

Serve = Callable[..., Script]

LINK_ID = "30cb4806-6e00-48a4-91c9-ca55968576c8"
GOOD_LINK = {"id": LINK_ID, "institution": "erebor_mx_retail", "status": "valid"}
CHALLENGE = {"session": "s1", "expiry": 60, "link": LINK_ID}


@dataclass
class Books:
    """A gate that lets in what a test says and writes down what it is told."""

    repeats: int = 99
    hold: Denial | None = None
    tries: int = 0
    told: list[AttemptResult] = field(default_factory=list)

    def enter(self, call: str, *, seconds: float) -> Permit | Denial:
        self.tries += 1
        return self.hold or self

    def note(self, told: AttemptResult) -> None:
        self.told.append(told)

    def again(self) -> bool:
        self.repeats -= 1
        self.tries += self.repeats >= 0
        return self.repeats >= 0

    def leave(self, told: AttemptResult | None) -> None:
        self.told += [told] if told else []


def belvo(url: str, books: Books, *, seconds: float = 30.0, patience: Backoff | None = None) -> Provider:
    return get_provider(
        "belvo",
        base_url=url,
        options={},
        secrets={"secret_id": Secret("our-secret-id"), "secret_password": Secret("our-secret-password")},
        deadlines=Deadlines(seconds, seconds, seconds),
        allow_loopback=True,
        gate=books,
        patience=patience or Backoff(base=0.0),
    )


def heron(url: str, books: Books) -> Provider:
    return get_provider(
        "heron",
        base_url=url,
        options={"integration_id": "itg_1"},
        secrets={"api_key": Secret("key_0123456789abcdef")},
        allow_loopback=True,
        gate=books,
    )


def wait_for_the_end(connection: socket.socket) -> None:
    connection.recv(1)


CALLS: dict[str, Callable[[Provider], object]] = {
    "read": lambda provider: provider.read_link(LinkRef(LINK_ID, "cust-1")),
    "create": lambda provider: provider.create_link(NewLink("cust-1", "", "erebor_mx_retail", {})),
    "update": lambda provider: provider.update_credentials(LinkRef(LINK_ID, "c"), {"password": Secret("pass-word")}),
    "code": lambda provider: provider.submit_token(
        session=Secret("session-1"), remote_link_id=LINK_ID, token=Secret("11")
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


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_each_call_is_repeated_after_each_answer_as_the_table_says(serve: Serve, call: str, answer: str) -> None:
    script, books = serve(ANSWERS[answer]), Books()

    with pytest.raises(ProviderError):
        CALLS[call](belvo(script.url, books, seconds=1.5))

    expected = 3 if call == "read" and answer in READ_AGAIN else 1
    expected += answer == "403"  # one cheap read
    assert (len(script.received), books.tries) == (expected, expected)


@pytest.mark.parametrize(("call", "tries"), [("read", 3), ("create", 3), ("update", 1), ("code", 1)])
def test_what_was_not_sent_is_sent_again_only_where_a_person_need_not_decide(call: str, tries: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    books = Books()

    with pytest.raises(NotSent):
        CALLS[call](belvo(url, books))

    assert books.tries == tries
    assert [told.sign for told in books.told] == [HealthSignal.FAILS] * tries


def test_create_whose_second_try_was_sent_is_not_sent_a_third_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    accepted: list[socket.socket] = []
    servers: list[threading.Thread] = []

    def start_listening(_seconds: float) -> None:
        server = socket.create_server(("127.0.0.1", port))
        servers.append(threading.Thread(target=lambda: accepted.append(hang_up(server)), daemon=True))
        servers[-1].start()

    books = Books()
    with pytest.raises(OutcomeUnknown):
        CALLS["create"](belvo(f"http://127.0.0.1:{port}", books, patience=Backoff(0.0, sleep=start_listening)))

    for server in servers:
        server.join(60)
    assert (books.tries, len(accepted)) == (2, 1)


def hang_up(server: socket.socket) -> socket.socket:
    """Take one call, and hang up without a word."""
    with server, server.accept()[0] as connection:
        read_request(connection)
        return connection


def test_read_that_succeeds_the_second_time_is_a_good_read(serve: Serve) -> None:
    script, books = serve(reset, reply(200, GOOD_LINK)), Books()

    CALLS["read"](belvo(script.url, books))

    assert [told.sign for told in books.told] == [HealthSignal.FAILS, HealthSignal.ANSWERS]


def test_hung_read_is_repeated_within_its_one_deadline(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.providers.retries.SHARE_OF_A_TRY", 0.02)
    script = serve(wait_for_the_end, reply(200, GOOD_LINK))

    CALLS["read"](belvo(script.url, Books(), seconds=30))

    assert len(script.received) == 2


def test_tries_of_a_read_never_take_longer_than_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = OutcomeUnknown(Failure(operation="belvo.read_link", reason="timeout"))
    now, tries = 100.0, []
    monkeypatch.setattr("linkadmin.providers.retries.time", SimpleNamespace(monotonic=lambda: now))
    course = RetryLoop(RetryPolicy.READ, Backoff(0.0), ends_at=now + 9)

    for _try in range(TRIES):
        tries.append(course.seconds)
        now += tries[-1] if course.number < TRIES else 0
        course.pause_after(lost)

    assert tries == pytest.approx([6, 2, 1])


def test_slow_answer_to_a_change_has_the_whole_deadline(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try that another could follow would end long before the answer comes."""
    monkeypatch.setattr("linkadmin.providers.retries.SHARE_OF_A_TRY", 0.001)

    def slowly(connection: socket.socket) -> None:
        time.sleep(0.4)
        reply(200, GOOD_LINK)(connection)

    CALLS["update"](belvo(serve(slowly).url, Books(), seconds=60))


def test_pauses_are_full_jitter_that_doubles(serve: Serve) -> None:
    slept: list[float] = []

    with pytest.raises(OutcomeUnknown):
        CALLS["read"](
            belvo(serve(reset).url, Books(), patience=Backoff(0.5, 20.0, chance=lambda: 0.5, sleep=slept.append))
        )

    assert slept == [0.25, 0.5]


def test_pause_is_capped_and_never_shorter_than_asked_for() -> None:
    patience = Backoff(0.5, 20.0, chance=lambda: 1.0)

    assert patience.before_repeat(9, Busy(Failure("heron.read_link"))) == 20.0
    assert patience.before_repeat(1, Busy(Failure("heron.read_link", retry_after=7.0))) == 7.0


def test_gate_that_lets_no_other_try_in_ends_the_call(serve: Serve) -> None:
    script, books = serve(reset), Books(repeats=1)

    with pytest.raises(OutcomeUnknown):
        CALLS["read"](belvo(script.url, books))

    assert len(script.received) == 2
    assert len(books.told) == 2


def test_call_that_the_gate_holds_back_was_not_sent(serve: Serve) -> None:
    script = serve(reply(200, GOOD_LINK))

    with pytest.raises(NotSent) as caught:
        CALLS["read"](belvo(script.url, Books(hold=Denial("paused", 12.0))))

    assert (caught.value.failure.reason, caught.value.failure.retry_after) == ("paused", 12.0)
    assert script.received == []


def test_address_that_is_not_on_the_list_takes_no_place() -> None:
    books = Books()

    with pytest.raises(NotSent) as caught:
        CALLS["read"](belvo("https://belvo.example.com", books))

    assert (caught.value.failure.reason, books.tries) == ("address_refused", 0)


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
    books = Books()
    script = serve(reply(200, {"hello": "you"}, x_ratelimit_reset=str(int(time.time()) + 30), **headers))

    heron(script.url, books).test_connection()

    told = books.told[0].rate
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
def test_refusal_that_asks_to_wait_tells_for_which_calls(serve: Serve, answer: Behaviour, rate: Rate | None) -> None:
    books = Books()

    with pytest.raises(ProviderError):
        CALLS["read"](belvo(serve(answer).url, books))

    assert books.told[-1].rate == rate
