"""Post many bodies over some connections, from a process of its own. What to do comes as JSON on standard input.

Prints what the server acknowledged: how many, at what rate, how fast, and which.
"""

import json
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

MARK = "%MARK%"  # in the body: something unique
LINK = "%LINK%"


@dataclass(slots=True)
class Load:
    port: int
    path: str
    body: str
    headers: dict[str, str]
    connections: int
    links: list[str]  # whose IDs replace LINK, one after another
    seconds: float = 0  # how long, or else
    count: int = 0  # how many
    rate: float = 0  # per second in all; 0: as fast as possible
    taken: list[float] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    refused: int = 0
    _next: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def run(self) -> dict[str, Any]:
        started = time.perf_counter()
        threads = [threading.Thread(target=self._send, args=(started,)) for _ in range(self.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds, ordered = time.perf_counter() - started, sorted(self.taken) or [0.0]
        p50, p95, p99 = (ordered[int((len(ordered) - 1) * share)] for share in (0.5, 0.95, 0.99))
        rate = len(self.taken) / seconds
        said = {"rate": rate, "seconds": seconds, "p50": p50, "p95": p95, "p99": p99}
        return said | {"acknowledged": len(self.taken), "refused": self.refused, "marks": self.marks}

    def _send(self, started: float) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (number := self._claim(started)) is not None:
                mark = uuid4().hex
                before = time.perf_counter()
                try:
                    server.sendall(self._request(number, mark))
                    status = read_status(server)
                except OSError:  # killed
                    return
                if 200 <= status < 300:
                    self.taken.append(time.perf_counter() - before)
                    self.marks.append(mark)
                else:
                    self.refused += 1

    def _claim(self, started: float) -> int | None:
        with self._lock:
            number, passed = self._next, time.perf_counter() - started
            if (self.count and number >= self.count) or (self.seconds and passed >= self.seconds):
                return None
            self._next += 1
        if self.rate:
            time.sleep(max(0.0, number / self.rate - passed))
        return number

    def _request(self, number: int, mark: str) -> bytes:
        link = self.links[number % len(self.links)] if self.links else ""
        body = self.body.replace(MARK, mark).replace(LINK, link).encode()
        lines = [f"POST {self.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def read_status(server: socket.socket) -> int:
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = server.recv(65536)
        if not received:
            raise ConnectionResetError
        answer += received
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = (int(lengths[0].partition(b":")[2]) if lengths else 0) - len(body)
    while missing > 0:
        received = server.recv(missing)
        if not received:
            raise ConnectionResetError
        missing -= len(received)
    return int(head.split(b" ", 2)[1])


if __name__ == "__main__":
    json.dump(Load(**json.load(sys.stdin)).run(), sys.stdout)
