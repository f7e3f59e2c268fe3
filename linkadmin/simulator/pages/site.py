"""What a browser gets: the guide, which calls arrived, and which webhooks left. Plain HTML, no script."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from linkadmin.simulator.deliveries import Delivery
from linkadmin.simulator.journal import Call, masked
from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, json_reply

from .guide import code, content, table

SHOWN = 50  # rows of a page
STYLE = (Path(__file__).parent / "guide.css").read_bytes()
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def respond(calls: Sequence[Call], store: Store, settings: SimulatorSettings, request: Request) -> Reply:
    """Answer a browser."""
    if request.method != "GET":
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
    match request.path:
        case "/":
            return _html("The drill ground", content(store, settings, request.origin))
        case "/calls/":
            return _html("The last calls", _calls(calls))
        case "/webhooks/":
            return _html("The last webhooks", _webhooks(store.deliveries.all()))
        case "/calls.json":
            return json_reply(200, [{**asdict(call), "raw": call.raw.decode(errors="replace")} for call in calls])
        case "/guide.css":
            return Reply(200, STYLE, "text/css; charset=utf-8", HEADERS)
        case "/favicon.ico":
            return Reply(HTTPStatus.NO_CONTENT)
        case _:
            return _html("Nothing here", '<p>There is no such page. <a href="/">The drill ground</a></p>', 404)


def _html(title: str, content: str, status: int = 200) -> Reply:
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · provider simulator</title>
<link rel="stylesheet" href="/guide.css">
</head>
<body>
<header><p>Provider simulator</p><nav><a href="/">Drill ground</a> <a href="/calls/">Last calls</a>
<a href="/webhooks/">Last webhooks</a></nav></header>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
    return Reply(status, page.encode(), "text/html; charset=utf-8", HEADERS)


def _calls(calls: Sequence[Call]) -> str:
    if not calls:
        return "<p>No call has arrived yet.</p>"
    rows = (_call(masked(call)) for call in list(reversed(calls))[:SHOWN])
    return "<p>The newest first; secrets are masked. Reload to see more.</p>" + table(
        ("Time (UTC)", "Call", "Status", "ms", "Body"), rows
    )


def _webhooks(deliveries: Sequence[Delivery]) -> str:
    if not deliveries:
        return "<p>No webhook has been sent yet.</p>"
    rows = (_webhook(delivery) for delivery in list(reversed(deliveries))[:SHOWN])
    return "<p>The newest first. Reload to see more.</p>" + table(
        ("Time (UTC)", "Topic", "About", "To", "Attempts", "Answer", "Outcome"), rows
    )


def _webhook(delivery: Delivery) -> tuple[str, ...]:
    return (
        delivery.made_at[11:19],
        code(delivery.topic),
        code(delivery.about),
        code(delivery.url),
        str(delivery.attempts),
        "" if delivery.status is None else str(delivery.status),
        delivery.outcome,
    )


def _call(call: Call) -> tuple[str, ...]:
    running = call.milliseconds is None
    return (
        time.strftime("%H:%M:%S", time.gmtime(call.at)),
        code(f"{call.method} {call.path}"),
        "running" if running else str(call.status or "cut"),
        "" if running else str(call.milliseconds),
        code(json.dumps(call.body, ensure_ascii=False)) if call.body is not None else "",
    )
