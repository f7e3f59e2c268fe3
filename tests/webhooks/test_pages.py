"""Pages of deliveries: the list, one delivery, and reprocessing."""

from functools import partial

import pytest

from linkadmin.audit.models import AuditEvent
from linkadmin.paging import Keyset
from linkadmin.web import sorting
from linkadmin.webhooks import deliveries
from linkadmin.webhooks.models import DeliveryOutcome, WebhookDelivery
from tests.environment import Environment
from tests.markup import Page
from tests.search.plans import plans

from .webhook_sender import (
    belvo_webhook,
    deliver,
    heron_webhook,
    mark_processed,
    open_endpoint,
    signed,
    stored_delivery,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LIST = "/deliveries/"


@pytest.fixture
def address(env: Environment) -> str:
    return open_endpoint(env.belvo)


def found(env: Environment, words: str, name: str = "ana") -> list[str]:
    return topics(env.post(LIST, {"q": words}, name))


def topics(page: Page) -> list[str]:
    rows = [each for each in page.elements if each.attrs.get("class") == "table__main"]
    names = dict(WebhookDelivery.objects.values_list("pk", "topic"))
    return [names[pk] for each in rows for pk in names if str(pk) in each.attrs["href"]]


def test_list_shows_deliveries_newest_first(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook("token_required", link_id="link-1"))
    body = heron_webhook(end_user_id="cus-7")
    deliver(open_endpoint(env.heron), body, signed(body))

    page = env.open(LIST)

    assert topics(page) == ["integration_link.erroring", "LINK token_required"]
    assert "LINK token_required Belvo test link-1 cus-1 Pending" in page.words
    assert topics(env.open(f"{LIST}?sort=-received")) == topics(page)[::-1]
    assert f"{LIST}?sort=-received" in page.links()


@pytest.mark.parametrize("name", ["ana", "mia", "aud", "adm"])
def test_empty_list_says_what_to_do(env: Environment, name: str) -> None:
    assert "No deliveries yet" in env.open(LIST, name).words


def test_pages_follow_each_other_and_lead_back(env: Environment, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(sorting, "Keyset", partial(Keyset, size=2))
    for number in range(5):
        deliver(address, belvo_webhook(f"event_{number}"))

    first = env.open(LIST)
    second = env.open(LIST + link_to(first, "Next"))
    last = env.open(LIST + link_to(second, "Next"))

    assert [topics(page) for page in (first, second, last)] == [
        ["LINK event_4", "LINK event_3"],
        ["LINK event_2", "LINK event_1"],
        ["LINK event_0"],
    ]
    assert topics(env.open(LIST + link_to(last, "Previous"))) == topics(second)
    assert topics(env.open(LIST + link_to(last, "First"))) == topics(first)


def link_to(page: Page, label: str) -> str:
    marks = {"Next": "after=", "Previous": "before="}
    small = [each.attrs for each in page.elements if "button--small" in each.attrs.get("class", "")]
    pager = [attrs["href"] for attrs in small if "href" in attrs]
    return next(href for href in pager if (marks[label] in href if label in marks else "=" not in href))


@pytest.mark.parametrize(
    "words", ["link-1", "cus-9", "request-1", "consent-1", "invalid_credentials", "LINK invalid", "Credentials"]
)
def test_search_finds_by_any_id_and_by_topic(env: Environment, address: str, words: str) -> None:
    told = {"link_id": "link-1", "external_id": "cus-9", "request_id": "request-1", "data": {"consent_id": "consent-1"}}
    deliver(address, belvo_webhook(**told))
    deliver(address, belvo_webhook("token_required", external_id="cus-8"))

    assert found(env, words) == ["LINK invalid_credentials"]


def test_search_finds_by_our_own_ids(env: Environment, address: str) -> None:
    link = env.belvo_link()
    deliver(address, belvo_webhook())
    mark_processed(stored_delivery(env.belvo), link)
    deliver(address, belvo_webhook("token_required"))

    for ours in (link.pk, link.end_user_id, link.end_user.external_id, stored_delivery(env.belvo, state="done").pk):
        assert found(env, str(ours)) == ["LINK invalid_credentials"]


def test_search_that_finds_nothing_says_so(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook())

    page = env.post(LIST, {"q": "no-such-id"})

    assert "No matching deliveries" in page.words


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("integration={heron}", ["integration_link.erroring"]),
        ("outcome=open", ["integration_link.erroring", "WEATHER sunny"]),
        ("outcome=no_matching_link", ["LINK invalid_credentials"]),
        ("type=unknown", ["WEATHER sunny"]),
        ("type=unknown&within=1h", ["WEATHER sunny"]),
        ("outcome=changed", []),
    ],
)
def test_filters_narrow_the_list(env: Environment, address: str, query: str, expected: list[str]) -> None:
    deliver(address, belvo_webhook())
    mark_processed(stored_delivery(env.belvo), outcome=DeliveryOutcome.NO_MATCHING_LINK)
    deliver(address, belvo_webhook("sunny", type="WEATHER"))
    body = heron_webhook()
    deliver(open_endpoint(env.heron), body, signed(body))

    page = env.open(f"{LIST}?{query.format(heron=env.heron.pk)}")

    assert topics(page) == expected


def test_unknown_filter_value_is_rejected(env: Environment) -> None:
    assert env.open(f"{LIST}?outcome=anything").status == 400


def test_unrecognized_types_are_counted_and_one_click_away(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook("sunny", type="WEATHER"))
    deliver(address, belvo_webhook("rainy", type="WEATHER"))

    page = env.open(LIST)

    assert "2 deliveries have an unrecognized type" in page.words
    assert f"{LIST}?type=unknown" in page.source


SENSITIVE = {
    "total": 12,
    "nested": [{"name": "Maria <b>Silva</b>", "document": "123.456.789-09", "is_pep": True, "amount": 4711}],
    "error_message": "Wrong password of Maria",
    "nothing": None,
    "maria@example.com": "seen",
    "status": "erroring",
}


@pytest.mark.parametrize("name", ["ana", "mia", "aud", "adm"])
def test_values_are_masked_but_for_those_on_the_list(env: Environment, address: str, name: str) -> None:
    deliver(address, belvo_webhook(data=SENSITIVE))

    page = env.open(stored_delivery(env.belvo).get_absolute_url(), name)

    for shown in ("data.total 12", "data.nothing null", "data.status erroring", "webhook_type LINK"):
        assert shown in page.words
    for masked in (
        "data.nested[0].document •••",
        "data.nested[0].is_pep •••",
        "data.nested[0].amount •••",
        "data.••• •••",
    ):
        assert masked in page.words
    assert "maria@example.com" not in page.source
    sees_names = name in {"ana", "mia"}
    assert ("data.nested[0].name Maria <b>Silva</b>" in page.words) is sees_names
    assert ("Wrong password of Maria" in page.words) is sees_names
    assert ("Maria" in page.source) is sees_names


def test_neither_a_key_that_may_be_a_name_nor_a_long_number_is_shown(env: Environment, address: str) -> None:
    data = {"by_owner": {"Wilhelmina": 1}, "new_account_number": 12345678901, "total_transactions": 4_806}
    deliver(address, belvo_webhook(data=data))

    page = env.open(stored_delivery(env.belvo).get_absolute_url(), "aud")

    assert "4806" in page.words
    assert "data.by_owner.•••" in page.words
    assert "Wilhelmina" not in page.source
    assert "12345678901" not in page.source


def test_unreadable_payload_is_not_stored(env: Environment, address: str) -> None:
    deliver(address, b"surely <i>no</i> message")

    page = env.open(stored_delivery(env.belvo).get_absolute_url())

    assert "Unreadable" in page.words
    assert "We couldn't read this payload, so we didn't store it." in page.words
    assert "surely" not in page.source
    assert "Reprocess" not in page.words


@pytest.mark.parametrize(("name", "customer"), [("ana", "Acme Corp"), ("aud", "A••• C•••"), ("adm", "")])
def test_links_are_shown_according_to_role(env: Environment, address: str, name: str, customer: str) -> None:
    deliver(address, belvo_webhook())
    mark_processed(stored_delivery(env.belvo), env.belvo_link("Acme Corp"), outcome=DeliveryOutcome.CHANGED)

    page = env.open(stored_delivery(env.belvo).get_absolute_url(), name)

    assert "A status check confirmed a change." in page.words
    assert customer in page.words
    assert ("Acme" in page.source) is (name == "ana")
    assert ("Links" in page.words) is bool(customer)


def test_viewing_a_customer_s_delivery_is_in_the_audit_log(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook())
    delivery = stored_delivery(env.belvo)
    env.open(delivery.get_absolute_url())
    assert not AuditEvent.objects.filter(action="delivery.viewed").exists()

    mark_processed(delivery, env.belvo_link())
    env.open(delivery.get_absolute_url())

    assert AuditEvent.objects.get(action="delivery.viewed").object_id == str(delivery.pk)


def test_delivery_is_reprocessed_on_request(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook())
    delivery = stored_delivery(env.belvo)
    mark_processed(delivery, outcome=DeliveryOutcome.NO_MATCHING_LINK)

    answer = env.post(f"{delivery.get_absolute_url()}reprocess/")

    page = env.open(answer.location)
    assert "Queued. We'll check the status of its links again." in page.words
    assert "Pending" in page.words
    event = AuditEvent.objects.get(action="delivery.reprocessed")
    assert (event.actor, event.object_id, event.details) == ("ana", str(delivery.pk), {"deliveries": 1})


def test_delivery_in_progress_is_not_reprocessed(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook())
    delivery = stored_delivery(env.belvo)

    answer = env.post(f"{delivery.get_absolute_url()}reprocess/")

    assert "It's already being processed" in env.open(answer.location).words
    assert stored_delivery(env.belvo).reprocess_count == 0


def test_all_deliveries_of_a_filter_are_reprocessed(env: Environment, address: str) -> None:
    for outcome in (
        DeliveryOutcome.NO_MATCHING_LINK,
        DeliveryOutcome.NO_MATCHING_LINK,
        DeliveryOutcome.UNRECOGNIZED_TYPE,
    ):
        deliver(address, belvo_webhook())
        mark_processed(stored_delivery(env.belvo, state="pending"), outcome=outcome)
    form = env.open(f"{LIST}?outcome=no_matching_link").form_with("csrfmiddlewaretoken")

    answer = env.post(form.action, form.values)

    assert "2 deliveries queued." in env.open(answer.location).words
    assert WebhookDelivery.objects.get(state="done").outcome == "unrecognized_type"
    assert AuditEvent.objects.get(action="delivery.reprocessed").details == {"deliveries": 2}


def test_all_deliveries_of_a_search_are_reprocessed(env: Environment, address: str) -> None:
    for link in ("link-1", "link-2"):
        deliver(address, belvo_webhook(link_id=link))
        mark_processed(stored_delivery(env.belvo, state="pending"), outcome=DeliveryOutcome.NO_MATCHING_LINK)
    form = env.post(LIST, {"q": "link-1"}).form_with("q", "csrfmiddlewaretoken")

    env.post(form.action, form.values)

    assert WebhookDelivery.objects.get(state="pending").remote_link_id == "link-1"


def test_reprocessing_is_limited_and_says_so(env: Environment, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MAX_REPROCESSED", 1)
    for number in range(2):
        deliver(address, belvo_webhook(request_id=f"request-{number}"))
        mark_processed(stored_delivery(env.belvo, state="pending"), outcome=DeliveryOutcome.NO_MATCHING_LINK)

    answer = env.post(f"{LIST}reprocess/")

    assert "Only the newest deliveries were queued." in env.open(answer.location).words
    assert WebhookDelivery.objects.get(state="pending").request_id == "request-1"


@pytest.mark.parametrize("name", ["aud", "adm"])
def test_who_may_not_refresh_is_offered_no_reprocessing(env: Environment, address: str, name: str) -> None:
    deliver(address, belvo_webhook())
    mark_processed(stored_delivery(env.belvo), outcome=DeliveryOutcome.NO_MATCHING_LINK)

    assert "again" not in env.open(LIST, name).words
    assert "Reprocess" not in env.open(stored_delivery(env.belvo).get_absolute_url(), name).words


def test_auditor_s_records_show_no_encrypted_secret(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook(link_id="link-1"))

    listed = env.open("/admin/webhooks/webhookdelivery/?q=link-1", "aud").source
    secrets = env.open("/admin/webhooks/webhooksecret/", "aud").source

    assert "LINK invalid_credentials" in listed
    assert env.belvo.webhook_secrets.get().fingerprint in secrets


def test_admin_finds_deliveries_of_an_outcome_through_its_index(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook("token_required"))

    found = plans(lambda: env.open("/admin/webhooks/webhookdelivery/?outcome__exact=late", "aud"))

    assert "delivery_of_outcome" in found
