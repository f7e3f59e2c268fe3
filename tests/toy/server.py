"""Tinbank's server on a real socket: stores tins, and reacts to the typed PIN or card as a test needs."""

import json
import secrets
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PASS_KEY = "tin-pass-key-0001"
RIGHT_TAN = "4321"
UNREADABLE_CARD = "00000000"


@dataclass
class Tin:
    no: str
    holder: str
    card: str
    state: str = "shiny"
    opened: str = ""
    fed: str | None = None


class LineCut(Exception):
    """The response never arrives."""


@dataclass
class Refused(Exception):
    status: int
    word: str
    say: str
    at: str = ""


class Handler(BaseHTTPRequestHandler):
    server: "Listener"

    def _answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        try:
            status, said = 200, self.server.bank.answer(self.command, self.path, dict(self.headers), body)
        except LineCut:
            return
        except Refused as refused:
            oops = {"word": refused.word, "say": refused.say, "at": refused.at, "trace": "tr-77"}
            status, said = refused.status, {"oops": oops}
        octets = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST = _answer

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class Listener(ThreadingHTTPServer):
    bank: "TinbankServer"


@dataclass
class TinbankServer:
    tins: dict[str, Tin] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)  # of a waiting code step: the tin's number
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = Listener(("127.0.0.1", 0), Handler)
        self._listener.bank = self
        self.url = f"http://127.0.0.1:{self._listener.server_port}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown()
        self._thread.join(5)
        self._listener.server_close()

    def answer(self, method: str, address: str, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        url = urlsplit(address)
        self.calls.append((method, url.path, body))
        if headers.get("Authorization") != f"Bearer {PASS_KEY}":
            raise Refused(401, "key_unknown", f"No door opens for {headers.get('Authorization', '')[7:]}")
        match url.path.split("/")[1:]:
            case ["v9", "north", "whoami"]:
                return {"you": "the owner"}
            case ["v9", "north", "tins"] if method == "POST":
                return self._open(body)
            case ["v9", "north", "tins"]:
                holders = parse_qs(url.query).get("holder")
                return {"tins": [asdict(tin) for tin in self.tins.values() if not holders or tin.holder in holders]}
            case ["v9", "north", "tins", no]:
                return {"tin": asdict(self._tin(no))}
            case ["v9", "north", "tins", no, "pin"]:
                return self._sign_in(self._tin(no), body["pin"])
            case ["v9", "north", "tans"]:
                return self._take_tan(body)
        raise Refused(404, "no_such_path", "Nothing is here")

    def posted(self, path: str) -> list[dict[str, Any]]:
        """Return the bodies of the changes sent to a path, oldest first."""
        return [body for method, came_to, body in self.calls if (method, came_to) == ("POST", f"/v9/north/{path}")]

    def _open(self, body: dict[str, Any]) -> dict[str, Any]:
        card = body["card"]["number"]
        if card == UNREADABLE_CARD:
            raise Refused(422, "card_unreadable", "This card is worn out", at="card_number")
        if body["pin"] == "refused":
            raise Refused(423, "pin_refused", "The vault did not open")
        if any(tin.card == card for tin in self.tins.values()):
            raise Refused(409, "tin_known", "We have this tin")
        tin = Tin(f"TIN-{len(self.tins) + 1:04}", body["holder"], card, opened=_now())
        self.tins[tin.no] = tin
        return self._sign_in(tin, body["pin"])

    def _sign_in(self, tin: Tin, pin: str) -> dict[str, Any]:
        if pin == "refused":
            tin.state = "rusty"
            raise Refused(423, "pin_refused", "The vault did not open")
        if pin == "code":
            return self._ask(tin)
        if pin == "refused-lost":
            tin.state = "rusty"
            raise LineCut
        tin.state, tin.fed = "shiny", _now()
        if pin == "lost":
            raise LineCut
        return {"tin": asdict(tin)}

    def _ask(self, tin: Tin) -> dict[str, Any]:
        tin.state, ticket = "tan_needed", secrets.token_hex(8)
        self.tickets[ticket] = tin.no
        show = f"{secrets.randbelow(10**6):06}"
        say = "Key this into your tin reader"
        return {"state": "tan_needed", "ticket": ticket, "no": tin.no, "show": show, "say": say, "seconds": 90}

    def _take_tan(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["ticket"] not in self.tickets:
            raise Refused(410, "tan_late", "The reader went to sleep")
        tin = self.tins[self.tickets.pop(body["ticket"])]
        return self._sign_in(tin, "right" if body["tan"] == RIGHT_TAN else "code")

    def _tin(self, no: str) -> Tin:
        if no not in self.tins:
            raise Refused(404, "no_such_tin", "That tin was melted down")
        return self.tins[no]


def _now() -> str:
    return datetime.now(UTC).isoformat()
