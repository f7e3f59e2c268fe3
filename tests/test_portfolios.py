"""Account managers who see only their own customers: others' exist nowhere, in no list, count, search or file."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from linkadmin import environment
from linkadmin.accounts.models import User
from linkadmin.audit.actions import of_operation
from linkadmin.audit.log import ObjectType, Outcome, record
from linkadmin.bulk.models import BulkItem, BulkJob
from linkadmin.links.account_managers import set_account_manager
from linkadmin.links.models import EndUser, Link
from linkadmin.links.staff_work import assign
from linkadmin.operations.models import Operation
from linkadmin.webhooks.models import DeliveryLink, WebhookDelivery

from .environment import Environment
from .test_urls import an_operation, opened, places  # noqa: F401 - a fixture
from .url_table import ROWS

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

OF_CUSTOMERS = ("{link}", "{customer}", "{operation}", "{job}", "{delivery}", "/records/{what}/")
NEVER_FOUND = (403, 405)  # for anyone
SEARCHES = ("/links/", "/links/export/", "/customers/", "/customers/export/", "/find/", "/bulk/count/", "/deliveries/")


@pytest.fixture(autouse=True)
def _own_only(settings: LazySettings) -> None:
    settings.MANAGERS_SEE = "own"


@pytest.fixture
def own(env: Environment) -> Link:
    """A link of a customer whose account manager is Mia."""
    link = env.belvo_link("Ursula Underhill")
    set_account_manager(link.end_user, env.people["mia"], by=env.people["ana"])
    return Link.objects.get(pk=link.pk)


@pytest.fixture
def other(env: Environment, places: dict[str, str]) -> EndUser:  # noqa: F811
    """Somebody else's customer, whose link, job, delivery and denied act all lists would have."""
    customer = EndUser.objects.get(pk=places["customer"])
    set_account_manager(customer, env.people["ben"], by=env.people["ana"])
    link = Link.objects.get(pk=places["link"])
    assign(link, by=env.people["ana"], assignee=env.people["mia"])
    BulkItem.objects.create(job_id=places["job"], link=link, state="done")
    BulkJob.objects.update(text="Call Wilhelmina Quackenbush")
    WebhookDelivery.objects.filter(pk=places["delivery"]).update(
        payload={"name": "Quackenbush"}, remote_link_id=link.remote_id, end_user_id=customer.external_id
    )
    DeliveryLink.objects.create(delivery_id=places["delivery"], link=link)
    record(
        actor=env.people["ana"],
        action=of_operation("update_credentials"),
        object_type=ObjectType.LINK,
        object_id=link.pk,
        outcome=Outcome.NOT_SENT,
        details={"reason": "already_open", "integration": ""},
    )
    return customer


def texts_of(customer: EndUser) -> Iterator[bytes]:
    for link in customer.links.all():
        yield from (text.encode() for text in (str(link.pk), link.remote_id))
    yield from (text.encode() for text in ("Quackenbush", customer.external_id, str(customer.pk)))


def test_pages_of_others_customers_do_not_exist(env: Environment, places: dict[str, str], other: EndUser) -> None:  # noqa: F811
    rows = [row for row in ROWS if any(each in row[1] for each in OF_CUSTOMERS)]

    got = {
        (method, address): opened(env.client("mia"), method, address.format(**places)).status_code
        for method, address, _answers in rows
    }

    assert len(rows) > 60
    assert got == {
        (method, address): answers["mia"] if answers["mia"] in NEVER_FOUND else 404 for method, address, answers in rows
    }


def test_no_page_or_file_has_anything_of_others_customers(
    env: Environment,
    places: dict[str, str],  # noqa: F811
    other: EndUser,
    own: Link,
) -> None:
    hidden, client = list(texts_of(other)), env.client("mia")
    pages = [address for method, address, answers in ROWS if method == "GET" and answers["mia"] == 200]
    pages = [address for address in pages if not any(each in address for each in OF_CUSTOMERS)]
    pages += ["/?assigned=mine", "/links/?assigned=mine", "/customers/?sort=name", "/operations/?outcome=denied"]
    pages += [f"/links/?customer={places['customer']}", f"/links/?sort=customer&institution={own.institution_id}"]
    pages += [f"/links/?assigned={env.people['mia'].pk}", f"/customers/?manager={env.people['ben'].pk}"]
    asked = [("GET", address, {}) for address in pages]
    words = ("Quackenbush", other.external_id, other.links.get().remote_id, str(other.links.get().pk), str(other.pk))
    asked += [("POST", address, {"q": text, "anything": text, "all": "1"}) for address in SEARCHES for text in words]
    asked += [("POST", "/find/", {"anything": text}) for text in (places["operation"], f"/links/{places['link']}/")]

    for method, address, posted in asked:
        url = address.format(**places)
        answer = client.get(url) if method == "GET" else client.post(url, posted)
        body = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
        typed = url + str(posted)  # pages repeat it
        assert not [text for text in hidden if text in body and text.decode() not in typed], (method, url, posted)
        assert answer.get("Location", "").find(str(other.links.get().pk)) == -1


def test_own_customers_are_as_for_everyone(env: Environment, own: Link) -> None:
    an_operation(env, own)
    shown = {
        url: env.open(url, "mia").words
        for url in ("/", "/links/", "/customers/", "/customers/?sort=name", "/operations/", own.get_absolute_url())
    }

    assert not {url: words for url, words in shown.items() if "Ursula Underhill" not in words}
    assert env.client("mia").post("/links/", {"q": own.remote_id}).headers["Location"] == own.get_absolute_url()
    assert "Ursula Underhill" in read_words(env, "/customers/", "Underhill")
    assert "Ursula Underhill" in read_words(env, "/find/", "Underhill")


def read_words(env: Environment, url: str, words: str) -> str:
    return env.post(url, {"q": words, "anything": words}, "mia").words


def test_counts_are_of_own_customers(env: Environment, other: EndUser, own: Link) -> None:
    links = env.open("/links/", "mia")

    assert "Waiting on customer 1 Bank/provider 0 Us 0 All 1" in links.words
    assert "assigned=mine" not in [
        each.attrs.get("href") for each in links.elements if "tabs__tab" in each.attrs.get("class", "")
    ]
    assert "1 of your 1 active links" in env.open("/", "mia").words
    assert "All 2" in env.open("/links/").words


@pytest.mark.parametrize("roles", ["manager,support", "auditor", "support"])
def test_others_see_all(env: Environment, other: EndUser, own: Link, roles: str) -> None:
    person = User.objects.create_user(username="zoe", password="a good long password", roles=roles)
    env.people["zoe"] = person

    assert env.client("zoe").get(other.get_absolute_url()).status_code == 200
    assert "All 2" in env.open("/links/", "zoe").words


def test_administrator_who_is_account_manager_too_lists_no_customers_in_django_admin(
    env: Environment, other: EndUser
) -> None:
    person = User.objects.create_user(username="zoe", password="a good long password", roles="administrator,manager")
    env.people["zoe"] = person

    for model in ("links/link", "links/enduser", "links/healthchange", "operations/operation", "bulk/bulkitem"):
        assert env.client("zoe").get(f"/admin/{model}/").status_code == 403
    assert env.client("zoe").get(f"/links/{other.links.get().pk}/").status_code == 404


def test_many_operations_are_read_in_their_order(
    env: Environment, other: EndUser, own: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkadmin.operations.activity.MOST_SORTED", 0)
    an_operation(env, own)

    words = env.open("/operations/", "mia").words

    assert "Ursula Underhill" in words
    assert "Quackenbush" not in words
    assert Operation.objects.filter(end_user=other).exists()


def test_counts_of_all_customers_lead_to_no_list_of_own_ones(env: Environment, other: EndUser, own: Link) -> None:
    pages = (
        "/institutions/",
        f"/institutions/{own.institution_id}/",
        f"/integrations/{env.belvo.pk}/",
        "/integrations/",
    )

    for url in pages:
        led = [each.attrs["href"] for each in env.open(url, "mia").elements if "data-count" in each.attrs]
        assert not [href for href in led if href.startswith("/links/")], url


def test_customer_who_is_handed_over_is_left_for_the_list(env: Environment, own: Link) -> None:
    url = f"/customers/{own.end_user_id}/account-manager/"

    given = env.send(url, "mia", account_manager=str(env.people["ben"].pk))

    assert given.location == "/customers/"
    assert "is now the account manager" in env.open(given.location, "mia").words


def test_webhooks_are_shown_by_links_of_own_customers(env: Environment, own: Link) -> None:
    delivery = WebhookDelivery.objects.create(integration=env.belvo, key="own", remote_link_id=own.remote_id)
    url = f"/deliveries/{delivery.pk}/"
    assert env.client("mia").get(url).status_code == 404

    DeliveryLink.objects.create(delivery=delivery, link=own)

    assert "Ursula Underhill" in env.open(url, "mia").words
    assert env.client("mia").get("/deliveries/").status_code == 403
    assert env.client("mia").post("/deliveries/reprocess/").status_code == 403


def test_administrators_see_denied_acts_of_all(env: Environment, own: Link) -> None:
    record(
        actor=env.people["ana"],
        action=of_operation("create_link"),
        object_type=ObjectType.INTEGRATION,
        object_id=env.belvo.pk,
        outcome=Outcome.NOT_SENT,
        details={"reason": "already_open", "integration": ""},
    )

    assert "Ana" in env.open("/operations/?outcome=denied", "adm").words


def test_role_page_says_so(env: Environment) -> None:
    assert "Only their own" in env.open("/staff/roles/", "adm").words


def test_unknown_choice_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKADMIN_MANAGERS_SEE", "mine")

    with pytest.raises(ImproperlyConfigured, match="LINKADMIN_MANAGERS_SEE must be all or own, not 'mine'"):
        environment.choice("LINKADMIN_MANAGERS_SEE", "all", "own")
