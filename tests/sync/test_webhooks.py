"""Our subscriptions at a provider, and all its reports made anew: changes that reach further than one link."""

import pytest

from linkadmin.operations.models import Operation, OperationKind, State
from tests.house import House
from tests.markup import Form, Page

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://hooks.example.com/webhooks/heron/1f4c9b2e"
TOPIC = "integration_link.erroring"


def listed(house: House) -> str:
    return f"/integrations/{house.heron.pk}/records/webhooks/"


def adding(house: House) -> str:
    return f"/integrations/{house.heron.pk}/webhooks/add/"


def subscribe(house: House, **typed: str) -> Page:
    form = house.open(adding(house), "adm").form_with("topic")
    return house.post(adding(house), form.values | {"topic": TOPIC, "url": URL} | typed, "adm")


def switch_of(page: Page) -> Form:
    return next(form for form in page.forms if "enabled" in form.names)


def test_topic_is_subscribed_to_and_listed(house: House) -> None:
    answer = subscribe(house)

    page = house.open(answer.location, "adm")
    assert answer.location == listed(house)
    assert "Subscribed: messages about this topic come from now on." in page.words
    assert TOPIC in page.words
    assert f"{URL} On" in page.words


def test_topics_on_offer_are_the_provider_s(house: House) -> None:
    page = house.open(adding(house), "adm")

    assert {TOPIC, "end_user.processed"} <= {each.attrs.get("value") for each in page.elements if each.tag == "option"}


@pytest.mark.parametrize("url", ["http://hooks.example.com/", "ftp://hooks.example.com/", "no address"])
def test_address_without_https_is_sent_nowhere(house: House, url: str) -> None:
    answer = subscribe(house, url=url)

    assert answer.status == 422
    assert answer.error_at("url") == "An address that begins with https://."
    assert house.calls("POST", "/api/webhooks") == []


def test_same_form_sent_twice_subscribes_once(house: House) -> None:
    form = house.open(adding(house), "adm").form_with("topic")
    typed = form.values | {"topic": TOPIC, "url": URL}

    house.post(adding(house), typed, "adm")
    house.post(adding(house), typed, "adm")

    assert len(house.calls("POST", "/api/webhooks")) == 1


def test_refusal_is_told_above_the_form_and_the_address_stays(house: House) -> None:
    house.open(adding(house), "adm")
    house.simulator.fail("POST", "/api/webhooks", "heron_400")

    answer = subscribe(house)

    assert answer.status == 422
    assert "The request could not be understood." in answer.words
    assert answer.inputs()["url"]["value"] == URL


def test_subscription_is_paused_and_goes_on(house: House) -> None:
    subscribe(house)

    for done, badge in (("Paused: no messages", "Paused"), ("Messages about this topic come again.", "On")):
        form = switch_of(house.open(listed(house), "adm"))
        house.post(form.action, form.values, "adm")
        page = house.open(listed(house), "adm")
        assert done in page.words
        assert f"{URL} {badge} " in page.words

    assert len(house.calls("PUT", "/api/webhooks")) == 2


@pytest.mark.parametrize("changed", [{"url": "https://elsewhere.example.com/"}, {"topic": "end_user.processed"}])
def test_pause_of_a_subscription_cannot_lead_its_messages_elsewhere(house: House, changed: dict[str, str]) -> None:
    subscribe(house)
    form = switch_of(house.open(listed(house), "adm"))

    answer = house.post(form.action, form.values | changed, "adm")

    assert answer.status == 400
    assert house.calls("PUT", "/api/webhooks") == []


@pytest.mark.parametrize("webhook", ["w" * 121, "wbh%2Fgone", "wbh%20gone", "wbh%3Fgone"])
def test_what_cannot_be_an_id_is_no_page(house: House, webhook: str) -> None:
    assert house.open(f"/integrations/{house.heron.pk}/webhooks/{webhook}/end/", "adm").status == 404


def test_end_of_a_subscription_names_its_consequence_before(house: House) -> None:
    subscribe(house)
    ending = next(link for link in house.open(listed(house), "adm").links() if link.endswith("/end/"))

    page = house.open(ending, "adm")
    house.send(ending, "adm")

    assert f"{TOPIC} {URL}" in page.words
    assert "No message about this topic comes to this address any more" in page.words
    assert len(house.calls("DELETE", "/api/webhooks")) == 1
    assert "No subscription" in house.open(listed(house), "adm").words


def test_subscription_that_is_gone_already_is_told_so(house: House) -> None:
    page = house.open(f"/integrations/{house.heron.pk}/webhooks/wbh_gone/end/", "adm")

    assert "It is gone already" in page.words


def test_account_manager_sees_no_secret_of_an_address_and_no_button(house: House) -> None:
    subscribe(house)

    page = house.open(listed(house), "mia")

    assert "https://hooks.example.com/…" in page.words
    assert "1f4c9b2e" not in page.source
    assert not [form for form in page.forms if "enabled" in form.names]
    assert adding(house) not in page.links()


def test_all_reports_are_made_anew_after_the_name_was_typed(house: House) -> None:
    house.heron_link("Blue Fern", item_id="item-1")
    house.heron_link("Acme Corp", item_id="item-2")
    reports = f"/integrations/{house.heron.pk}/reports/"

    page = house.open(reports, "adm")
    wrong = house.send(reports, "adm", typed="Heron")
    right = house.send(reports, "adm", typed=house.heron.name)

    assert "2 links, 2 customers" in page.words
    assert (wrong.status, wrong.error_at("typed")) == (422, "This is not the name. Nothing was sent.")
    operation = Operation.objects.get(kind=OperationKind.REFRESH_REPORTS)
    assert right.location == operation.get_absolute_url()
    assert operation.end_user is None
    assert operation.state != State.PREPARED


def test_reports_of_a_provider_without_any_are_no_page(house: House) -> None:
    assert house.open(f"/integrations/{house.belvo.pk}/reports/", "adm").status == 404
    assert house.open(f"/integrations/{house.belvo.pk}/webhooks/add/", "adm").status == 404
