"""The drill ground: what to type to get what, and which calls arrived. Plain HTML, no script."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from http import HTTPStatus
from pathlib import Path

from . import belvo, heron
from .belvo_consents import TYPED
from .belvo_drill import CODES, REFUSALS_UNTIL_INVALID, WRONG_CODES_UNTIL_LOCKED
from .belvo_drill import TRIGGERS as BELVO_TRIGGERS
from .conduct import MEANINGS, Conduct
from .drill import DRIP, Trigger
from .fault_answers import BELVO_FAULTS, HERON_FAULTS, LINE_FAULTS, Fault
from .heron_drill import ACTIVE, FATES
from .heron_drill import TRIGGERS as HERON_TRIGGERS
from .institutions import Institution
from .journal import Call, masked
from .passing import PROCESSED_AFTER, REMOVED_AFTER
from .state import World
from .wire import Answer, Request, json_answer

SHOWN_CALLS = 50
STYLE = (Path(__file__).parent / "drill.css").read_bytes()
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
ASKED_FIELDS = {"hidden"}  # a field of this type is filled by the form itself


def respond(calls: Sequence[Call], world: World, conduct: Conduct, request: Request) -> Answer:
    """Answer a browser."""
    if request.method != "GET":
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
    match request.path:
        case "/":
            return _html("The drill ground", _drill(world, conduct, request.origin))
        case "/calls/":
            return _html("The last calls", _calls(calls))
        case "/calls.json":
            return json_answer(200, [{**asdict(call), "raw": call.raw.decode(errors="replace")} for call in calls])
        case "/drill.css":
            return Answer(200, STYLE, "text/css; charset=utf-8", HEADERS)
        case "/favicon.ico":
            return Answer(HTTPStatus.NO_CONTENT)
        case _:
            return _html("Nothing here", '<p>There is no such page. <a href="/">The drill ground</a></p>', 404)


def _html(title: str, content: str, status: int = 200) -> Answer:
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · provider simulator</title>
<link rel="stylesheet" href="/drill.css">
</head>
<body>
<header><p>Provider simulator</p><nav><a href="/">Drill ground</a> <a href="/calls/">Last calls</a></nav></header>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
    return Answer(status, page.encode(), "text/html; charset=utf-8", HEADERS)


def _drill(world: World, conduct: Conduct, origin: str) -> str:
    with world.lock:
        integrations = list(world.integrations)
        institutions = [dict(institution) for institution in world.institutions.values()]
    return f"""
<p class="lead">This server plays Heron and Belvo. No bank is behind it: type a word from the tables below where a
customer's username or password would go, and see what the app makes of it. Anything not listed succeeds.</p>

<h2>Addresses and keys</h2>
{
        _table(
            ("Provider", "Base URL", "Key"),
            (
                ("Belvo", _code(origin), f"{_code(belvo.SECRET_ID)} / {_code(belvo.SECRET_PASSWORD)}"),
                ("Heron", _code(origin), f"{_code('x-api-key')}: {_code(heron.API_KEY)}"),
            ),
        )
    }
<p>Any other key is refused with status 401, as the provider would.</p>

<h2 id="belvo">Belvo: logging in at a bank</h2>
<p>Type the word as the <strong>password</strong>, when you create a link or update its credentials. When you create
one it also works as the username, which comes first if both are such words.</p>
{_triggers(BELVO_TRIGGERS)}
<ul>
<li>A bank that asks for codes (see the banks below) asks for one after every accepted password of an update, unless
the right code is sent along.</li>
<li>The same username at the same bank is refused as {_code("duplicated")}, whatever the password, while a completed
link of it exists. To drill again, use another username and type the word as the password.</li>
<li>After {REFUSALS_UNTIL_INVALID} wrong passwords in a row the link's status is {_code("invalid")}.</li>
<li>A bank that is down refuses every login. Links by open finance cannot be repaired with a password.</li>
<li>A slow bank acts at the end of its wait, whether the caller is still there or not.</li>
<li>A removal with the header {_code("X-Belvo-Request-Mode: async")} takes {REMOVED_AFTER} seconds.</li>
</ul>

<h2 id="codes">Belvo: the one-time code</h2>
{_triggers(CODES)}
<p>Any other code is wrong: the bank asks anew, with a new challenge and a new time. After
{WRONG_CODES_UNTIL_LOCKED} wrong codes the account is locked and the login has to start again. A code that comes
too late is refused as {_code("session_expired")}. An approval needs no code.</p>

<h2 id="consents">Belvo: consents of open finance</h2>
<p>A link at a bank by open finance has a consent, authorised for a year from its creation. Another CPF typed as the
username leads to another consent:</p>
{_table(("CPF", "The consent is"), ((_code(each.username), escape(each.says)) for each in TYPED))}

<h2 id="heron">Heron: the access token</h2>
<p>The word alone, or followed by anything: {_code("access-lost-2")}. Integrations:
{", ".join(_code(key) for key in integrations)}.</p>
{_triggers(HERON_TRIGGERS)}

<h2 id="items">Heron: the item id</h2>
<p>Its beginning decides what becomes of the link, a few seconds after it was created. An item id that exists already
is refused with status 409. A customer that Heron does not know is added.</p>
{
        _table(
            ("Item id begins with", "The link becomes"),
            (
                *((_code(fate.prefix), escape(fate.says)) for fate in FATES),
                ("anything else", escape(ACTIVE.says)),
            ),
        )
    }

<p>An end user whose status becomes {_code("ready")} is processed after {PROCESSED_AFTER} seconds. One that is
removed by {_code("POST …/delete")} is gone after {REMOVED_AFTER} seconds, with all its links. Asset reports are
refreshed for active links; a link that is erroring fails, and the answer is status 422 with both numbers.</p>

{_faults()}
{_settings(conduct)}
{_population(world)}

<h2 id="institutions">The banks of Belvo</h2>
{_table(("Bank", "Name", "Asks for", "Remarks"), (_bank(institution) for institution in institutions))}
"""


def _faults() -> str:
    example = '{"method": "GET", "path": "/api/links/", "times": 2, "answer": "html_403"}'
    return f"""
<h2 id="faults">Faults on request</h2>
<p>Any call can be spoiled, also those with no word to type. {_code("POST /faults.json")} with {_code(example)}: the
next calls that fit get this answer, as often as {_code("times")} says. The path is a beginning, or a pattern such as
{_code("/api/links/*/refresh/")}; left out are all methods, all paths, once. {_code("GET /faults.json")} lists what
waits, {_code("DELETE /faults.json")} forgets it. Other calls are answered as ever.</p>
<h3>Any provider: what goes wrong on the line</h3>
{_named(LINE_FAULTS)}
<p>A byte drips every {DRIP} seconds.</p>
<h3>Errors of Belvo</h3>
<p>Nothing is changed and nothing counted, whatever the text says.</p>
{_named(BELVO_FAULTS)}
<h3>Errors of Heron</h3>
{_named(HERON_FAULTS)}
"""


def _population(world: World) -> str:
    links, items, customers = world.crowds.links.size, world.crowds.items.size, world.crowds.customers.size
    return f"""
<h2 id="population">Population</h2>
<p>Generated now: {links:,} links at Belvo, {items:,} links of {customers:,} end users at Heron. Any number is there
at once and needs no file: {_code("manage.py simulator --seed 7 --belvo-links 1000000 --heron-links 1000000")}. The same
seed makes the same ids; what is changed is kept, what is removed stays away.</p>
<p>{_code("POST /stir.json")} with {_code('{"belvo": 20, "heron": 0.02, "seed": 3}')} lets 20 links of Belvo and two in
a hundred of Heron break or mend by themselves, and answers with their ids; the same again moves the same ones.</p>
"""


def _named(faults: Iterable[Fault]) -> str:
    return _table(("Answer", "What happens"), ((_code(fault.name), escape(fault.says)) for fault in faults))


def _settings(conduct: Conduct) -> str:
    rows = ((_code(name), str(value), escape(MEANINGS[name])) for name, value in asdict(conduct).items())
    return f"""
<h2 id="conduct">Settings</h2>
<p>Options of the command of the same names, or while it runs {_code("PUT /conduct.json")} with some of them, such as
{_code('{"latency": 300}')}. {_code("GET /conduct.json")} shows them, and under {_code("peak")} the largest number of
calls that came within one window, refused ones included. A change begins the counts anew.</p>
{_table(("Setting", "Now", "Meaning"), rows)}
"""


def _bank(institution: Institution) -> tuple[str, ...]:
    asked = [field for field in institution["form_fields"] if field["type"] not in ASKED_FIELDS]
    remarks = [feature["name"] for feature in institution["features"]]
    remarks += ["down"] if institution["status"] == "down" else []
    remarks += ["open finance"] if institution["integration_type"] == "openfinance" else []
    fields = (field["name"] + (" (optional)" if field.get("optional") else "") for field in asked)
    return (
        escape(institution["display_name"]),
        _code(institution["name"]),
        escape(", ".join(fields)),
        escape(", ".join(remarks)),
    )


def _calls(calls: Sequence[Call]) -> str:
    if not calls:
        return "<p>No call has arrived yet.</p>"
    rows = (_call(masked(call)) for call in list(reversed(calls))[:SHOWN_CALLS])
    return "<p>The newest first; secrets are masked. Reload to see more.</p>" + _table(
        ("Time (UTC)", "Call", "Status", "ms", "Body"), rows
    )


def _call(call: Call) -> tuple[str, ...]:
    running = call.milliseconds is None
    return (
        time.strftime("%H:%M:%S", time.gmtime(call.at)),
        _code(f"{call.method} {call.path}"),
        "running" if running else str(call.status or "cut"),
        "" if running else str(call.milliseconds),
        _code(json.dumps(call.body, ensure_ascii=False)) if call.body is not None else "",
    )


def _triggers(triggers: Iterable[Trigger]) -> str:
    return _table(
        ("Type", "What happens"),
        ((" or ".join(map(_code, trigger.shown)), escape(trigger.says)) for trigger in triggers),
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
