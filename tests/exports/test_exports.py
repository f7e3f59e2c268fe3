"""CSV of every list: the same rows in the same order, safe cells, who may, and what the audit log keeps of it."""

import csv
import io
import random
import uuid
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http.response import HttpResponseBase

from linkadmin import exports
from linkadmin.accounts.roles import MATRIX, URL_RIGHTS, Right, rule_for
from linkadmin.audit.models import AuditEvent
from linkadmin.bulk.models import BulkItem, BulkJob
from linkadmin.links.models import (
    EndUser,
    HealthChange,
    Institution,
    Link,
    LinkSearch,
    Note,
    UnrecognizedValue,
    search_text,
)
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause
from linkadmin.staff_limits.models import LimitUse
from linkadmin.sync.models import FullCheck
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import Environment
from tests.markup import read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

Lines = list[dict[str, str]]
AT = datetime(2026, 3, 5, 14, 7, 9, 654321, tzinfo=UTC)


def content(response: HttpResponseBase) -> str:
    assert response.status_code == 200, response.status_code
    return b"".join(response).decode()  # type: ignore[arg-type]


def lines(response: HttpResponseBase) -> Lines:
    return list(csv.DictReader(io.StringIO(content(response).removeprefix("\ufeff"), newline="")))


def export(env: Environment, url: str, name: str = "mia") -> Lines:
    return lines(env.client(name).get(url))


def of_links(filters: str, *, searched: bool) -> dict[str, object]:
    """What an event says about an export of links."""
    return {"list": "links", "environment": "production", "filters": filters, "searched": searched}


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="list.exported").order_by("seq"))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks of few lines."""
    monkeypatch.setattr(exports, "FIRST_LINES", 2)
    monkeypatch.setattr(exports, "MOST_LINES", 3)


@pytest.fixture
def many(env: Environment, small_chunks: None) -> None:
    """Links whose times and customers' names are often equal."""
    chance = random.Random(3)
    banks = Institution.objects.bulk_create(
        Institution(integration=env.heron, name=f"b{n}", display_name=f"Bank {n}") for n in range(3)
    )
    causes = [Cause.WORKING, Cause.WORKING, Cause.LOGIN_REQUIRED, Cause.BANK_DOWN, Cause.STALE, Cause.GONE]
    made = []
    for n in range(23):
        customer = EndUser.objects.create(external_id=f"cus-{n:02}", name=f"Name {n % 4}")
        link = Link(integration=env.heron, institution=chance.choice([*banks, None]), end_user=customer)
        link.cause, link.remote_id = chance.choice(causes).value, f"item-{n}"
        link.health = link.verdict.state.value
        link.health_since = AT - timedelta(days=chance.randrange(3))
        link.last_good_at = AT if n % 3 else None
        link.assignee = env.people["ben"] if n % 5 == 0 else None
        link.urgency = link.rank()
        made.append(link)
    Link.objects.bulk_create(made)


def shown(env: Environment, url: str) -> list[str]:
    """IDs of the links on the list's page, which has all of them."""
    page = env.open(url, "mia")
    return [each.attrs["href"].split("/")[2] for each in page.elements if each.attrs.get("class") == "table__main"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        *(f"sort={sign}{name}" for name in ("attention", "since", "sync", "customer") for sign in ("", "-")),
        "state=customer&state=us",
        "state=active&sort=-customer",
        "assigned=nobody&sort=since",
        "older=1&state=somebody",
    ],
)
def test_links_are_exported_as_listed(env: Environment, many: None, query: str) -> None:
    exported = export(env, f"/links/export/?{query}")

    assert [each["Link ID"] for each in exported] == shown(env, f"/links/?{query}")
    assert exported


def test_columns_of_a_link(env: Environment) -> None:
    link = env.belvo_link("Ünal & Søn", cause=Cause.LOGIN_REFUSED)
    Link.objects.filter(pk=link.pk).update(health_since=AT, last_good_at=None, assignee=env.people["ana"])

    (exported,) = export(env, "/links/export/")

    assert exported == {
        "Customer": "Ünal & Søn",
        "Customer ID": link.end_user.external_id,
        "Institution": link.bank,
        "Integration": env.belvo.name,
        "Status": "Sign-in needed",
        "Reason": str(link.judgment.reason),
        "Waiting on": "Customer",
        "Since": "2026-03-05T14:07:09Z",
        "Last successful sync": "",
        "Assignee": env.people["ana"].display_name,
        "Link ID": str(link.pk),
        "Provider ID": link.remote_id,
    }


def test_status_is_worded_as_in_the_list(env: Environment) -> None:
    bank = Institution.objects.create(
        integration=env.belvo, name="o", display_name="Open bank", integration_type="openfinance"
    )
    kinds = list(product(Cause, (None, bank), (None, AT - timedelta(days=2))))
    for n, (cause, institution, verifying_since) in enumerate(kinds):
        link = Link(integration=env.belvo, end_user=env.customer(), remote_id=str(n), institution=institution)
        link.cause, link.health_since, link.refused_at = cause.value, AT, AT - timedelta(days=1)
        link.verifying_since = verifying_since
        link.health, link.urgency = link.verdict.state.value, 50
        link.save()

    exports = export(env, "/links/export/")

    assert len(exports) == len(kinds)
    for exported in exports:
        link = Link.objects.get(pk=exported["Link ID"])
        judged = link.judgment
        assert exported["Status"] == judged.look.label
        assert exported["Reason"] == judged.reason
        assert exported["Waiting on"] == ("" if judged.turn.value == "nobody" else judged.turn.label)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "  =", "\u00a0@", "＝", "＋", "－", "＠", "\u3000-"])
def test_a_formula_becomes_text(env: Environment, start: str) -> None:
    EndUser.objects.create(external_id=f'{start}cmd|"/C calc"!A0', name="")

    (exported,) = export(env, "/customers/export/?sort=name")

    assert exported["Customer ID"] == f'\'{start}cmd|"/C calc"!A0'
    assert exported["Customer"].startswith("'")


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx", "\0x"])
def test_a_cell_of_ours_that_starts_with_a_control_character_becomes_text(text: str) -> None:
    _labels, chunks = exports.of_texts(["A"], [[text]])

    assert list(chunks) == [(f'"\'{text}"\r\n', 1)]


@pytest.mark.parametrize("name", ['Quote "Q" Ltd', "Comma, Inc", "Ábaco", "9 Lives", "<b>", "~tilde", "日本", "100%"])
def test_other_text_stays_as_it_is(env: Environment, name: str) -> None:
    env.customer(name)

    (exported,) = export(env, "/customers/export/?sort=name")

    assert exported["Customer"] == name


def test_the_file_says_what_it_is(env: Environment) -> None:
    env.customer()
    response = env.client("mia").get("/customers/export/?sort=name")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="customers-20')
    assert response["Cache-Control"] == "no-store"
    text = content(response)
    assert text.startswith('\ufeff"Customer","Customer ID"')
    assert text.count("\r\n") == 2
    assert text.endswith('"\r\n')


def test_names_are_masked_for_those_who_may_not_see_them(env: Environment) -> None:
    for name in ("Wilhelmina  Quackenbush", "Ángel", ""):
        EndUser.objects.create(external_id=f"id-{name[:2]}", name=name)

    exported = export(env, "/customers/export/?sort=name", "aud")

    assert {each["Customer"] for each in exported} == {"W••• Q•••", "Á•••", "id-"}


def test_masked_readers_sort_by_id(env: Environment, many: None) -> None:
    exported = export(env, "/links/export/?sort=customer", "aud")

    assert [each["Customer ID"] for each in exported] == sorted(each["Customer ID"] for each in exported)
    assert len(exported) == 23


def test_a_search_is_exported_without_its_words(env: Environment, many: None) -> None:
    wanted = EndUser.objects.create(external_id="quack-1", name="Wilhelmina Quackenbush")
    link = Link(integration=env.heron, end_user=wanted, remote_id="i", health="healthy", cause="working")
    link.urgency = link.rank()
    link.save()
    LinkSearch.objects.update_or_create(link=link, defaults={"text": search_text(link)})

    exported = lines(env.client("mia").post("/links/export/?state=fine&sort=since", {"q": "quackenbush"}))

    assert [each["Link ID"] for each in exported] == [str(link.pk)]
    requested, done = events()
    assert requested.details == of_links("state=fine&sort=since", searched=True)
    assert done.details == requested.details | {"rows": 1}
    assert "quack" not in (requested.canonical + done.canonical).lower()


def test_a_customer_is_searched_by_name(env: Environment) -> None:
    env.customer("Acme Corp")
    env.customer("Blue Fern Bakery")

    exported = lines(env.client("mia").post("/customers/export/", {"q": "acme"}))

    assert [each["Customer"] for each in exported] == ["Acme Corp"]


def test_customers_have_their_worst_status_and_their_links_counted(env: Environment) -> None:
    acme = env.belvo_link("Acme Corp", cause=Cause.LOGIN_REFUSED).end_user
    working = Link(integration=env.heron, end_user=acme, remote_id="i", health="healthy", cause="working")
    working.urgency = working.rank()
    working.save()
    EndUser.objects.filter(pk=acme.pk).update(account_manager=env.people["mia"])
    env.customer("Zebra Ltd")
    shown = ("Customer", "Status", "Reason", "Waiting on", "Links", "In trouble", "Account manager")

    (by_trouble,), by_name = export(env, "/customers/export/"), export(env, "/customers/export/?sort=-name")

    facts = {
        "2",
        "1",
        "Acme Corp",
        "Sign-in needed",
        "The bank rejected the stored credentials",
        "Customer",
        env.people["mia"].display_name,
    }
    assert {by_trouble[each] for each in shown} == facts
    assert by_trouble["Since"].endswith("Z")
    without, same = by_name
    assert same == by_trouble
    assert [without[each] for each in (*shown, "Since")] == ["Zebra Ltd", "", "", "", "0", "0", "", ""]


def test_institutions(env: Environment, small_chunks: None) -> None:
    env.belvo_link(bank="erebor_mx_retail")
    exported = export(env, f"/institutions/export/?integration={env.belvo.pk}&kind=bank")

    names = [each["Institution"] for each in exported]
    assert names == list(
        Institution.objects.filter(integration=env.belvo, kind="bank")
        .order_by("display_name", "id")
        .values_list("display_name", flat=True)
    )
    assert len(names) > 5
    (erebor,) = (each for each in exported if each["Name at provider"] == "erebor_mx_retail")
    assert (erebor["Links"], erebor["Need action"], erebor["Type"]) == ("1", "1", "Bank")


def test_webhooks(env: Environment, small_chunks: None) -> None:
    for n in range(7):
        WebhookDelivery.objects.create(integration=env.belvo, key=str(n), topic=f"topic-{n}", received_at=AT)
    WebhookDelivery.objects.filter(key="3").update(state="done", outcome="no_change", copies=2)

    exported = export(env, "/deliveries/export/")

    assert [each["Topic"] for each in exported] == [f"topic-{n}" for n in reversed(range(7))]
    assert exported[3] | {"Delivery ID": ""} == {
        "Topic": "topic-3",
        "Integration": env.belvo.name,
        "Link ID": "",
        "Customer ID": "",
        "Result": "No change",
        "Received": "2026-03-05T14:07:09Z",
        "Times received": "2",
        "Request ID": "",
        "Delivery ID": "",
    }
    assert exported[0]["Result"] == "Pending"
    assert [each["Topic"] for each in export(env, "/deliveries/export/?outcome=no_change")] == ["topic-3"]


def test_full_checks(env: Environment, small_chunks: None) -> None:
    for n in range(5):
        at = AT + timedelta(hours=n)
        FullCheck.objects.create(integration=env.belvo, state="done", started_at=at, finished_at=at, seen=n)
    FullCheck.objects.create(integration=env.heron, state="done")

    exported = export(env, f"/integrations/{env.belvo.pk}/full-checks/export/")

    assert [each["Links checked"] for each in exported] == ["4", "3", "2", "1", "0"]
    assert exported[4]["Started"] == "2026-03-05T14:07:09Z"
    assert events()[-1].object_id == str(env.belvo.pk)


def test_unrecognized_values(env: Environment, small_chunks: None) -> None:
    for n in range(5):
        at = AT + timedelta(hours=n)
        UnrecognizedValue.objects.create(provider="heron", place="code", value=f"=odd {n}", first_at=AT, last_at=at)

    exported = export(env, "/unrecognized-values/export/")

    assert [each["Value as received"] for each in exported] == [f"'=odd {n}" for n in (4, 3, 2, 1, 0)]
    assert exported[0]["Source"] == "Error code"


def test_jobs_and_their_links(env: Environment, small_chunks: None) -> None:
    links = [env.belvo_link("Acme Corp", bank=bank) for bank in ("erebor_mx_retail", "gringotts_mx_retail")]
    job = BulkJob.objects.create(
        kind="check_status", state="done", actor=env.people["mia"], total=2, done=1, failed=1, created_at=AT
    )
    BulkJob.objects.create(kind="note", state="draft", actor=env.people["ana"])
    BulkItem.objects.create(job=job, link=links[0], state="done", before="healthy", after="waiting", finished_at=AT)
    BulkItem.objects.create(job=job, link=links[1], state="failed")

    (exported,) = export(env, "/bulk/export/")
    items = export(env, f"/bulk/{job.pk}/export/")

    assert (exported["Job"], exported["Done"], exported["Failed"]) == ("Check status of 2 links", "1", "1")
    assert exported["Created"] == "2026-03-05T14:07:09Z"
    assert [each["Link ID"] for each in items] == [str(link.pk) for link in links]
    assert (items[0]["Status before"], items[0]["Status after"]) == ("Working", "Bank or provider issue")
    assert [each["Result"] for each in export(env, f"/bulk/{job.pk}/export/?state=failed")] == ["Failed"]


def test_history(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.operations.timeline.pages.READ_AT_ONCE", 3)
    link = env.belvo_link()
    HealthChange.objects.filter(link=link).delete()
    for n in range(8):
        at = AT + timedelta(minutes=n)
        HealthChange.objects.create(link=link, at=at, source="list", new="healthy", cause="working", raw_code=f"c{n}")
    Note.objects.create(link=link, author=env.people["mia"], at=AT - timedelta(days=1), text="=Call\nback")

    exported = export(env, f"/links/{link.pk}/history/export/")

    assert [each["Details"].split()[-1] for each in exported[:-1]] == [f"c{n}" for n in reversed(range(8))]
    assert (exported[-1]["Note"], exported[-1]["Details"]) == ("'=Call\nback", env.people["mia"].display_name)
    oldest_first = export(env, f"/links/{link.pk}/history/export/?order=oldest&kind=change")
    assert [each["ID"] for each in oldest_first] == [each["ID"] for each in reversed(exported[:-1])]
    hidden = export(env, f"/links/{link.pk}/history/export/?kind=note", "aud")
    assert "Call" not in str(hidden)


def test_activity(env: Environment, small_chunks: None) -> None:
    link = env.belvo_link("Acme Corp")
    for n in range(5):
        operation = Operation.objects.create(
            kind="update_credentials", state="rejected" if n else "not_sent", integration=env.belvo, link=link,
            end_user=link.end_user, actor=env.people["ana"], operation_key=uuid.uuid4(), duration_ms=1500,
        )  # fmt: skip
        Operation.objects.filter(pk=operation.pk).update(created_at=AT + timedelta(hours=n), code=f"c{n}")

    exported = export(env, "/operations/export/?outcome=rejected")

    assert [each["Provider code"] for each in exported] == ["c4", "c3", "c2", "c1"]
    assert (exported[0]["Customer"], exported[0]["Person"]) == ("Acme Corp", env.people["ana"].display_name)
    assert (exported[0]["Created"], exported[0]["Seconds"]) == ("2026-03-05T18:07:09Z", "1.5")
    assert [each["Customer"] for each in export(env, "/operations/export/?outcome=not_sent", "aud")] == ["A••• C•••"]


def test_nothing_found_is_a_file_with_a_head(env: Environment) -> None:
    assert content(env.client("mia").get("/links/export/?state=us")).count("\r\n") == 1
    assert content(env.client("mia").post("/links/export/", {"q": "nobody here"})).count("\r\n") == 1
    assert events()[-1].details["rows"] == 0


def test_the_log_tells_who_began_what_and_that_it_ended(env: Environment, many: None) -> None:
    export(env, "/links/export/?state=active&sort=since&after=1.2.3&other=Quackenbush")

    requested, done = events()
    assert (requested.actor, requested.outcome, done.outcome) == ("mia", "requested", "done")
    assert requested.details == of_links("state=active&sort=since", searched=False)
    assert done.details["rows"] == Link.objects.exclude(health="disconnected").count()
    assert (done.object_type, done.object_id) == ("list", "links")
    assert done.request_id == requested.request_id != ""


@pytest.mark.django_db(transaction=True)  # closing a response closes its connection
def test_a_download_that_is_broken_off_is_recorded_with_what_was_read(env: Environment, many: None) -> None:
    response = env.client("mia").get("/links/export/")
    next(iter(response))  # type: ignore[call-overload]
    response.close()

    requested, canceled = events()
    assert (canceled.outcome, canceled.details["rows"]) == ("canceled", 2)
    assert canceled.request_id == requested.request_id != ""


def open_cursors() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_cursors")
        return int(cursor.fetchone()[0])


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_a_download_that_is_broken_off_leaves_no_cursor_and_no_transaction(env: Environment, many: None) -> None:
    pieces = env.client("mia").get("/links/export/")._iterator
    next(pieces)
    next(pieces)  # the first one of the cursor
    assert (open_cursors(), connection.in_atomic_block) == (1, False)

    pieces.close()

    assert open_cursors() == 0


@pytest.mark.django_db(transaction=True)  # closing a response closes its connection
def test_only_two_run_at_once(env: Environment) -> None:
    env.heron_link()
    client = env.client("mia")
    first, second = client.get("/customers/export/"), client.get("/links/export/")

    busy = client.get("/customers/export/")

    assert (busy.status_code, "Retry-After" in busy) == (503, True)
    assert "Only 2 exports run at a time" in read(busy).words
    first.close()
    assert len(lines(client.get("/customers/export/"))) == 1
    second.close()


def test_an_export_that_cannot_start_frees_its_slot(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    client = env.client("mia")
    client.raise_request_exception = False

    def broken(*_args: object) -> None:
        raise ValueError("no line")

    with monkeypatch.context() as patch:
        patch.setattr(exports, "_read_chunk", broken)
        for _each in range(3):
            assert client.get("/customers/export/").status_code == 500

    assert export(env, "/customers/export/") == []


def test_without_its_event_nothing_is_exported(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_event: object) -> None:
        raise ValueError("no event")

    client = env.client("mia")
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(exports, "record", broken)
        assert client.get("/customers/export/").status_code == 500

    assert export(env, "/customers/export/") == []


LISTS = [name.removesuffix("-export") for name in URL_RIGHTS if name.endswith("-export")]


@pytest.mark.parametrize("name", LISTS)
def test_who_exports_a_list_also_sees_it(name: str) -> None:
    rule = rule_for(name, "GET")
    assert rule_for(f"{name}-export", "GET") is Right.EXPORT

    assert [role for role, rights in MATRIX.items() if Right.EXPORT in rights and rule not in rights] == []


@pytest.mark.parametrize("path", ["/links/", "/customers/", "/institutions/", "/deliveries/", "/bulk/", "/operations/"])
def test_button_is_for_who_may_export(env: Environment, path: str) -> None:
    mia, ana = env.open(f"{path}?x=1", "mia"), env.open(path, "ana")

    assert f"{path}export/?x=1" in mia.links()
    assert f"{path}export/" not in str(ana.links())
    assert "Export CSV" not in ana.words
    assert env.client("ana").get(f"{path}export/").status_code == 403


@pytest.mark.parametrize("path", ["/links/", "/customers/", "/deliveries/"])
def test_button_of_a_search_sends_its_words_in_a_form(env: Environment, path: str) -> None:
    env.customer()
    page = read(env.client("mia").post(f"{path}?sort=", {"q": "no such words"}))

    (form,) = (each for each in page.forms if each.action.startswith(f"{path}export/"))
    assert form.action == f"{path}export/?sort="
    assert (form.attrs["method"], form.values["q"]) == ("post", "no such words")


@pytest.mark.parametrize("path", ["/links/?state=us", "/customers/?manager=mine", "/institutions/?q=a"])
def test_part_that_replaces_the_list_brings_its_button(env: Environment, path: str) -> None:
    part = env.client("mia").get(path, headers={"HX-Request": "true"}).content.decode()

    list_url, query = path.split("?")
    assert 'id="export" hx-swap-oob="true"' in part
    assert f'href="{list_url}export/?{query}"' in part


@pytest.mark.parametrize("most", [1, 2, 5, 6, 22])
@pytest.mark.parametrize("url", ["/links/export/?sort=customer", "/customers/export/?sort=name"])
def test_long_file_is_cut_and_says_so(
    env: Environment, many: None, settings: LazySettings, url: str, most: int
) -> None:
    settings.EXPORT_ROWS = 0
    every = list(map(list, map(dict.values, export(env, url))))
    settings.EXPORT_ROWS = most

    *rows, (note, *others) = list(map(list, map(dict.values, export(env, url))))

    assert rows == every[:most]
    assert note == f"These are the first {most} rows. For the others, narrow the list with filters."
    assert not any(others)
    assert (events()[-1].outcome, events()[-1].details["rows"], events()[-1].details["cut"]) == ("done", most, True)


def test_short_list_read_row_by_row_is_cut_too(env: Environment, small_chunks: None, settings: LazySettings) -> None:
    settings.EXPORT_ROWS = 4

    *rows, note = export(env, "/institutions/export/")

    assert len(rows) == 4
    assert "These are the first 4 rows" in " ".join(note.values())


@pytest.mark.parametrize("most", [0, 23, 24])
def test_file_with_all_rows_is_not_cut(env: Environment, many: None, settings: LazySettings, most: int) -> None:
    settings.EXPORT_ROWS = most

    assert len(export(env, "/links/export/?state=active&state=ended")) == 23
    assert "cut" not in events()[-1].details


def test_page_says_how_many_rows_a_file_has(env: Environment, many: None, settings: LazySettings) -> None:
    settings.EXPORT_ROWS = 20_000

    assert 'title="At most 20,000 rows"' in env.open("/links/", "mia").source


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_link_on_another_site_starts_no_export(env: Environment, site: str) -> None:
    answer = env.client("mia").get("/links/export/", headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert "This link to a file is on another site" in read(answer).words
    assert not events()
    assert not LimitUse.objects.exists()


@pytest.mark.parametrize("site", ["same-origin", "none", ""])
def test_own_page_or_a_typed_url_starts_one(env: Environment, site: str) -> None:
    answer = env.client("mia").get("/links/export/", headers={"Sec-Fetch-Site": site} if site else {})

    assert content(answer)
