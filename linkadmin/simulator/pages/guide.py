"""The guide: what to type to get what, and how to order what cannot be typed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape

from linkadmin.simulator.belvo import api as belvo
from linkadmin.simulator.belvo import messages as belvo_messages
from linkadmin.simulator.belvo.consents import TYPED
from linkadmin.simulator.belvo.guide import CODES, REFUSALS_UNTIL_INVALID, WRONG_CODES_UNTIL_LOCKED
from linkadmin.simulator.belvo.guide import TRIGGERS as BELVO_TRIGGERS
from linkadmin.simulator.belvo.institutions import Institution
from linkadmin.simulator.belvo.records import PRACTICE_AUTHORIZATION
from linkadmin.simulator.faults import BELVO_FAULTS, HERON_FAULTS, LINE_FAULTS, Fault
from linkadmin.simulator.heron import api as heron
from linkadmin.simulator.heron import messages as heron_messages
from linkadmin.simulator.heron.guide import ACTIVE, FATES
from linkadmin.simulator.heron.guide import TRIGGERS as HERON_TRIGGERS
from linkadmin.simulator.heron.records import PRACTICE_SECRET
from linkadmin.simulator.outcomes import DRIP, Trigger
from linkadmin.simulator.settings import MEANINGS, SimulatorSettings
from linkadmin.simulator.store import PROCESSED_AFTER, REMOVED_AFTER, Store

ASKED_FIELDS = {"hidden"}  # a field of this type is filled by the form itself


def content(store: Store, settings: SimulatorSettings, origin: str) -> str:
    """Draw the page, all but its frame."""
    with store.lock:
        integrations = list(store.integrations)
        institutions = [dict(institution) for institution in store.institutions.values()]
    return f"""
<p class="lead">This server plays Heron and Belvo. No bank is behind it: type a word from the tables below where a
customer's username or password would go, and see what the app makes of it. Anything not listed succeeds.</p>
{_addresses(origin)}
{_belvo_logins()}
{_belvo_codes()}
{_belvo_consents()}
{_heron_tokens(integrations)}
{_heron_items()}
{_faults()}
{_settings(settings)}
{_webhooks(store)}
{_population(store)}
{_life()}
{_banks(institutions)}
"""


def _addresses(origin: str) -> str:
    rows = (
        ("Belvo", code(origin), f"{code(belvo.SECRET_ID)} / {code(belvo.SECRET_PASSWORD)}"),
        ("Heron", code(origin), f"{code('x-api-key')}: {code(heron.API_KEY)}"),
    )
    return f"""
<h2>Addresses and keys</h2>
{table(("Provider", "Base URL", "Key"), rows)}
<p>Any other key is refused with status 401, as the provider would.</p>
"""


def _belvo_logins() -> str:
    return f"""
<h2 id="belvo">Belvo: logging in at a bank</h2>
<p>Type the word as the <strong>password</strong>, when you create a link or update its credentials. When you create
one it also works as the username, which comes first if both are such words.</p>
{_triggers(BELVO_TRIGGERS)}
<ul>
<li>A bank that asks for codes (see the banks below) asks for one after every accepted password of an update, unless
the right code is sent along.</li>
<li>The same username at the same bank is refused as {code("duplicated")}, whatever the password, while a completed
link of it exists. To drill again, use another username and type the word as the password.</li>
<li>After {REFUSALS_UNTIL_INVALID} wrong passwords in a row the link's status is {code("invalid")}.</li>
<li>A bank that is down refuses every login. Links by open finance cannot be repaired with a password.</li>
<li>A slow bank acts at the end of its wait, whether the caller is still there or not.</li>
<li>A removal with the header {code("X-Belvo-Request-Mode: async")} takes {REMOVED_AFTER} seconds.</li>
</ul>
"""


def _belvo_codes() -> str:
    return f"""
<h2 id="codes">Belvo: the one-time code</h2>
{_triggers(CODES)}
<p>Any other code is wrong: the bank asks anew, with a new challenge and a new time. After
{WRONG_CODES_UNTIL_LOCKED} wrong codes the account is locked and the login has to start again. A code that comes
too late is refused as {code("session_expired")}. An approval needs no code. Where a bank has several steps, the codes
above are the right and wrong answers of each.</p>
"""


def _belvo_consents() -> str:
    rows = ((code(each.username), escape(each.says)) for each in TYPED)
    return f"""
<h2 id="consents">Belvo: consents of open finance</h2>
<p>A link at a bank by open finance has a consent, authorised for a year from its creation. Another CPF typed as the
username leads to another consent:</p>
{table(("CPF", "The consent is"), rows)}
"""


def _heron_tokens(integrations: Iterable[str]) -> str:
    return f"""
<h2 id="heron">Heron: the access token</h2>
<p>The word alone, or followed by anything: {code("access-lost-2")}. Integrations:
{", ".join(code(key) for key in integrations)}.</p>
{_triggers(HERON_TRIGGERS)}
"""


def _heron_items() -> str:
    fates = ((code(fate.prefix), escape(fate.says)) for fate in FATES)
    rows = (*fates, ("anything else", escape(ACTIVE.says)))
    return f"""
<h2 id="items">Heron: the item id</h2>
<p>Its beginning decides what becomes of the link, a few seconds after it was created. An item id that exists already
is refused with status 409. A customer that Heron does not know is added.</p>
{table(("Item id begins with", "The link becomes"), rows)}
<p>An end user whose status becomes {code("ready")} is processed after {PROCESSED_AFTER} seconds. One that is
removed by {code("POST …/delete")} is gone after {REMOVED_AFTER} seconds, with all its links. Asset reports are
refreshed for active links; a link that is erroring fails, and the answer is status 422 with both numbers.</p>
"""


def _faults() -> str:
    example = '{"method": "GET", "path": "/api/links/", "times": 2, "answer": "html_403"}'
    return f"""
<h2 id="faults">Faults on request</h2>
<p>Any call can be spoiled, also those with no word to type. {code("POST /faults.json")} with {code(example)}: the
next calls that fit get this answer, as often as {code("times")} says. The path is a beginning, or a pattern such as
{code("/api/links/*/refresh/")}; left out are all methods, all paths, once. {code("GET /faults.json")} lists what
waits, {code("DELETE /faults.json")} forgets it. Other calls are answered as ever.</p>
<h3>Any provider: what goes wrong on the line</h3>
{_named(LINE_FAULTS)}
<p>A byte drips every {DRIP} seconds.</p>
<h3>Errors of Belvo</h3>
<p>Nothing is changed and nothing counted, whatever the text says.</p>
{_named(BELVO_FAULTS)}
<h3>Errors of Heron</h3>
{_named(HERON_FAULTS)}
"""


def _population(store: Store) -> str:
    links, items, customers = len(store.belvo_links), len(store.heron_links), len(store.end_users)
    return f"""
<h2 id="population">Population</h2>
<p>There are {links:,} links at Belvo, {items:,} links of {customers:,} end users at Heron. Any number is generated at
the start: {code("manage.py simulator --seed 7 --belvo-links 10000 --heron-links 10000")}. The same seed makes the same
ids; what is changed is kept, what is removed stays away.</p>
<p>{code("POST /drift.json")} with {code('{"belvo": 20, "heron": 0.02, "seed": 3}')} lets 20 links of Belvo and two in
a hundred of Heron break or mend by themselves, and answers with their ids; the same again moves the same ones.</p>
"""


def _webhooks(store: Store) -> str:
    example = '{"belvo": {"url": "http://127.0.0.1:8000/…", "authorization": "Bearer …"}, "heron": {"secret": "sec_…"}}'
    attempts = f"{len(belvo_messages.PAUSES)} more times, after a minute more each time"
    rows = (
        ("Belvo", code(store.belvo_webhook.url or "none"), code("Authorization"), code(PRACTICE_AUTHORIZATION)),
        ("Heron", "its subscriptions", code(heron_messages.SIGNATURE), code(PRACTICE_SECRET)),
    )
    return f"""
<h2 id="webhooks">Webhooks</h2>
<p>They leave when something happens: to Belvo's one address, and to Heron's subscriptions by {code("/api/webhooks")}.
Only addresses of this machine are called, by plain HTTP; redirects are not followed. Any answer from 200 to 299
is enough. Without one Belvo tries {attempts}, and Heron {len(heron_messages.PAUSES)} more times, after 1, 5 and 15
minutes. What waits is gone after a restart.</p>
{table(("Provider", "Goes to", "Proved by", "Unless another is set"), rows)}
<p>{code("PUT /webhooks.json")} with {code(example)}, or some of it, sets the address and the secrets;
{code("GET /webhooks.json")} tells what was sent, <a href="/webhooks/">as does a page</a>. That a link works again no
webhook says, neither Belvo's nor Heron's: of Belvo's only data tells of it.</p>
"""


def _life() -> str:
    return f"""
<h2 id="life">A day in their life</h2>
<p>{code("POST /time-travel.json")} with {code('{"hours": 24, "share": 0.1, "seed": 1, "step": 1}')} moves the clock
here ahead, hour by hour, and on the way something happens to a tenth of all links: data is fetched, banks refuse, ask
for codes and go down, customers mend links, end them and connect new ones, consents end. It answers with how often what
happened. No hours at all leave the clock where it is; a restart sets it back.</p>
"""


def _named(faults: Iterable[Fault]) -> str:
    return table(("Answer", "What happens"), ((code(fault.name), escape(fault.says)) for fault in faults))


def _settings(settings: SimulatorSettings) -> str:
    rows = ((code(name), str(value), escape(MEANINGS[name])) for name, value in asdict(settings).items())
    return f"""
<h2 id="settings">Settings</h2>
<p>Options of the command of the same names, or while it runs {code("PUT /settings.json")} with some of them, such as
{code('{"latency": 300}')}. {code("GET /settings.json")} shows them, and under {code("peak")} the largest number of
calls that came within one window, refused ones included. A change begins the counts anew.</p>
{table(("Setting", "Now", "Meaning"), rows)}
"""


def _banks(institutions: Iterable[Institution]) -> str:
    rows = (_bank(institution) for institution in institutions)
    return f"""
<h2 id="institutions">The banks of Belvo</h2>
{table(("Bank", "Name", "Asks for", "Remarks"), rows)}
"""


def _bank(institution: Institution) -> tuple[str, ...]:
    asked = [field for field in institution["form_fields"] if field["type"] not in ASKED_FIELDS]
    remarks = [feature["name"] for feature in institution["features"]]
    remarks += ["down"] if institution["status"] == "down" else []
    remarks += ["open finance"] if institution["integration_type"] == "openfinance" else []
    fields = (field["name"] + (" (optional)" if field.get("optional") else "") for field in asked)
    return (
        escape(institution["display_name"]),
        code(institution["name"]),
        escape(", ".join(fields)),
        escape(", ".join(remarks)),
    )


def _triggers(triggers: Iterable[Trigger]) -> str:
    return table(
        ("Type", "What happens"),
        ((" or ".join(map(code, trigger.shown)), escape(trigger.says)) for trigger in triggers),
    )


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Draw a table; its cells are HTML already."""
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
