"""What the palette finds: everything people paste, for each role only what it may open."""

import uuid
from collections.abc import Callable

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import CustomerContact, Link
from linkadmin.operations.models import Operation
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

REQUEST_ID = "9e7b283c6efa449c9c028a16b5c24806"
NAME = "Confecções Maré Alta"


def find(env: Environment, text: str, name: str = "ana") -> Page:
    answer = read(env.client(name).post("/find/", {"anything": text}, headers=HTMX))
    assert answer.status == 200
    return answer


def opens(page: Page) -> set[str]:
    """URLs of the results."""
    return {each.attrs["href"] for each in page.elements if each.attrs.get("role") == "option"}


def groups(page: Page) -> list[str]:
    labelled = [each.attrs["aria-labelledby"] for each in page.elements if each.attrs.get("role") == "group"]
    return [each.removeprefix("found-") for each in labelled]


@pytest.fixture
def link(env: Environment) -> Link:
    """A link with every ID, beside another one."""
    env.belvo_link("Blue Fern")
    link = env.belvo_link(NAME)
    Link.objects.filter(pk=link.pk).update(data_source_id="dso_4n5t7")
    return link


def an_operation(env: Environment, link: Link | None = None, request_id: str = REQUEST_ID) -> Operation:
    return Operation.objects.create(
        kind="update_credentials" if link else "add_webhook",
        state="rejected",
        integration=link.integration if link else env.heron,
        institution=link.institution if link else None,
        link=link,
        end_user=link.end_user if link else None,
        actor=env.people["ana"],
        operation_key=uuid.uuid4(),
        request_id=request_id,
    )


def a_delivery(env: Environment, **more: str) -> WebhookDelivery:
    return WebhookDelivery.objects.create(integration=env.belvo, key=str(uuid.uuid4()), topic="LINK.updated", **more)


OF_LINK: dict[str, Callable[[Link], str]] = {
    "our link ID": lambda link: str(link.pk),
    "our link ID without hyphens": lambda link: link.pk.hex,
    "the provider's link ID": lambda link: link.remote_id,
    "the beginning of an ID": lambda link: link.remote_id[:13],
    "data source ID": lambda _link: "dso_4n5t7",
    "customer ID": lambda link: link.end_user.external_id,
    "URL of ours": lambda link: f"http://testserver{link.get_absolute_url()}",
    "path of ours": lambda link: f"{link.get_absolute_url()}history/",
    "URL of another host": lambda link: f"https://old.example{link.get_absolute_url()}",
    "JSON error": lambda link: f'[{{"code": "login_error", "message": "…", "link": "{link.remote_id}"}}]',
    "JSON in JSON": lambda link: f'{{"body": "{{\\"code\\": \\"x\\", \\"link_id\\": \\"{link.remote_id}\\"}}"}}',
    "log line": lambda link: f"2026-11-30T06:50:25.121Z INFO provider.call status=428 link={link.remote_id} took 12 ms",
    "words around an ID": lambda link: f"a customer says that data of {link.remote_id}. has stopped since last week",
    "part of a name": lambda _link: "nfecções",
    "part of a name without accents": lambda _link: "nfeccoes",
    "two words": lambda _link: "alta confec",
    "customer and bank": lambda _link: "mare erebor",
}


@pytest.mark.parametrize("pasted", OF_LINK)
def test_link_is_found(env: Environment, link: Link, pasted: str) -> None:
    page = find(env, OF_LINK[pasted](link))

    found = {url for url in opens(page) if url.startswith("/links/") and url.count("/") == 3}
    assert found == {link.get_absolute_url()}


def test_item_id_is_found(env: Environment) -> None:
    link = env.heron_link(item_id="M5eVJqLnv3tbzdngLDp9FL5OlDNxlNhlE55op")

    for text in (link.remote_id, f'{{"error": "ITEM_LOGIN_REQUIRED", "item_id": "{link.remote_id}"}}'):
        assert link.get_absolute_url() in opens(find(env, text))


def test_customer_is_found_by_its_id_and_name(env: Environment, link: Link) -> None:
    for text in (
        link.end_user.external_id,
        str(link.end_user_id),
        "confecç",
        f"end_user_id={link.end_user.external_id}",
    ):
        assert link.end_user.get_absolute_url() in opens(find(env, text)), text


def test_request_id_finds_the_operation(env: Environment, link: Link) -> None:
    operation = an_operation(env, link)

    for text in (REQUEST_ID, str(uuid.UUID(REQUEST_ID)), f'[{{"code": "x", "request_id": "{REQUEST_ID}"}}]'):
        page = find(env, text)
        assert groups(page) == ["requests"], text
        assert opens(page) == {operation.get_absolute_url()}


def test_link_is_found_by_the_request_id_of_its_last_status(env: Environment, link: Link) -> None:
    Link.objects.filter(pk=link.pk).update(request_id=REQUEST_ID)

    for text in (REQUEST_ID, f"GET /api/links/ 200 request_id={REQUEST_ID}"):
        assert link.get_absolute_url() in opens(find(env, text)), text


def test_operation_is_found_by_its_id(env: Environment, link: Link) -> None:
    operation = an_operation(env, link, request_id="")

    page = find(env, str(operation.pk))

    assert (groups(page), opens(page)) == (["operations"], {operation.get_absolute_url()})


@pytest.mark.parametrize("state", ["done", "pending"])
def test_delivery_is_found_by_its_own_id_and_request_id(env: Environment, state: str) -> None:
    outcome = "changed" if state == "done" else ""
    delivery = a_delivery(env, request_id=REQUEST_ID, state=state, outcome=outcome)

    for text in (str(delivery.pk), REQUEST_ID, f"webhook request_id={REQUEST_ID} took=12"):
        page = find(env, text, "adm")
        assert (groups(page), opens(page)) == (["deliveries"], {delivery.get_absolute_url()})


@pytest.mark.parametrize("text", ["maria.alta@example.com", "maria.alta", "+55 11 91234-5678"])
def test_customer_is_found_by_email_and_phone(env: Environment, link: Link, text: str) -> None:
    CustomerContact.objects.create(end_user=link.end_user, email="Maria.Alta@example.com", phone="+5511912345678")

    assert link.end_user.get_absolute_url() in opens(find(env, text))
    assert opens(find(env, text, "aud")) == set()


def test_institution_is_found_by_its_name(env: Environment) -> None:
    bank = env.bank()

    assert bank.get_absolute_url() in opens(find(env, bank.display_name[:8], "adm"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("zyxwvutq", "Nothing found."),
        ("zy", "Type at least three letters or digits in a row."),
        ('{"id": "zyx-123"}', "We don't know any of the IDs in this text."),
        ("http://testserver/nowhere/", "This URL doesn't lead to anything you can open."),
    ],
)
def test_nothing_found_says_why(env: Environment, link: Link, text: str, words: str) -> None:
    page = find(env, text)

    assert opens(page) == set()
    assert words in page.words


def test_empty_text_lists_pages_and_actions_of_each_role(env: Environment) -> None:
    common = {"/", "/operations/", "/institutions/", "/deliveries/", "/unrecognized-values/"}
    common |= {"/accounts/security/", "/accounts/password/"}
    of_links = {"/links/", "/bulk/", "/customers/"}
    own = {
        "ana": {*of_links, "/links/new/"},
        "mia": {*of_links, "/integrations/", "/staff/limits/"},
        "aud": {*of_links, "/integrations/", "/admin/", "/admin/audit/auditevent/", "/staff/", "/staff/limits/"},
        "adm": {
            "/integrations/", "/staff/", "/staff/new/", "/status/",
            "/integrations/new/", "/staff/limits/",
        },
    }  # fmt: skip

    assert {name: opens(find(env, "", name)) - common for name in own} == own


@pytest.mark.parametrize("name", ["ana", "mia", "aud", "adm"])
def test_every_page_and_action_opens(env: Environment, name: str) -> None:
    for url in opens(find(env, "", name)):
        assert env.client(name).get(url).status_code == 200, url


def test_administrator_finds_no_customer_and_no_link(env: Environment, link: Link) -> None:
    operation = an_operation(env, link)

    for text in (NAME, str(link.pk), link.remote_id, link.end_user.external_id, REQUEST_ID, str(operation.pk)):
        page = find(env, text, "adm")
        assert opens(page) == set(), text
        assert NAME not in page.source


def test_operation_of_an_integration_is_for_those_who_see_integrations(env: Environment) -> None:
    operation = an_operation(env)

    found = {name: opens(find(env, str(operation.pk), name)) for name in ("ana", "mia", "aud", "adm")}

    assert found == {"ana": set()} | {each: {operation.get_absolute_url()} for each in ("mia", "aud", "adm")}


def test_auditor_sees_initials_and_finds_by_id_only(env: Environment, link: Link) -> None:
    an_operation(env, link)

    assert opens(find(env, NAME, "aud")) == opens(find(env, "confec", "aud")) == set()
    for text in (link.remote_id, link.end_user.external_id, REQUEST_ID):
        page = find(env, text, "aud")
        assert opens(page), text
        assert "Confecções" not in page.source
        assert "C••• M••• A•••" in page.words


def test_pasted_url_offers_only_pages_that_its_reader_may_open(env: Environment, link: Link) -> None:
    url = "http://testserver/integrations/"

    assert opens(find(env, url, "mia")) == {"/integrations/"}
    assert opens(find(env, url, "ana")) == set()
    assert opens(find(env, "https://evil.example/integrations/", "mia")) == set()
    assert opens(find(env, "//evil.example/integrations/", "mia")) == set()
    assert opens(find(env, "/links/?state=customer", "ana")) == {"/links/?state=customer"}


def test_only_link_found_offers_what_can_be_done(env: Environment, link: Link) -> None:
    support, auditor = (find(env, link.remote_id, name) for name in ("ana", "aud"))
    page = link.get_absolute_url()

    assert {f"{page}credentials/", f"{page}history/", f"{page}notes/"} <= opens(support)
    assert opens(auditor) == {page, f"{page}history/"}


def test_results_are_few(env: Environment) -> None:
    for number in range(8):
        env.belvo_link(f"Acme {number}")

    page = find(env, "acme")

    assert len(opens(page)) == 12
    assert "12 results" in page.source


def test_names_are_text_and_never_markup(env: Environment) -> None:
    env.belvo_link("<b>Acme</b>")

    assert "<b>Acme" not in find(env, "acme").source


def test_very_long_text_is_read_in_part(env: Environment, link: Link) -> None:
    for text in ("a" * 100_000, "id:" * 30_000, '"' * 100_000, "a1-" * 30_000, "\0" * 10):
        find(env, text)


def test_search_records_no_view_and_changes_nothing(env: Environment, link: Link) -> None:
    find(env, "")
    before = AuditEvent.objects.count()

    find(env, NAME)

    assert AuditEvent.objects.count() == before


def test_visitor_is_sent_to_sign_in(env: Environment) -> None:
    answer = env.client().post("/find/", {"anything": "acme"}, headers=HTMX)
    env.client().logout()
    refused = env.client().post("/find/", {"anything": "acme"}, headers=HTMX)

    assert (answer.status_code, refused.status_code) == (200, 401)
    assert refused["HX-Redirect"].startswith("/accounts/login/")
    assert "no-store" in answer["Cache-Control"]


def test_search_box_posts_to_the_list_and_keeps_the_words(env: Environment, link: Link) -> None:
    page = env.send("/", q="confec")

    assert page.inputs()["q"]["value"] == "confec"
    assert env.open("/customers/").inputs()["q"].get("value", "") == ""
