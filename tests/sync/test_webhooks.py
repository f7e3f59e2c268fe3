"""Our subscriptions at a provider, and regenerating all its reports."""

import pytest

from linkadmin.operations.models import Operation, OperationKind, State
from tests.environment import Environment
from tests.markup import Form, Page

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://hooks.example.com/webhooks/heron/1f4c9b2e"
TOPIC = "integration_link.erroring"


def listed(env: Environment) -> str:
    return f"/integrations/{env.heron.pk}/records/webhooks/"


def adding(env: Environment) -> str:
    return f"/integrations/{env.heron.pk}/webhooks/add/"


def subscribe(env: Environment, **typed: str) -> Page:
    form = env.open(adding(env), "adm").form_with("topic")
    return env.post(adding(env), form.values | {"topic": TOPIC, "url": URL} | typed, "adm")


def switch_of(page: Page) -> Form:
    return next(form for form in page.forms if "enabled" in form.names)


def test_topic_is_subscribed_to_and_listed(env: Environment) -> None:
    answer = subscribe(env)

    page = env.open(answer.location, "adm")
    assert answer.location == listed(env)
    assert "Subscribed. The provider now sends webhooks for this topic." in page.words
    assert TOPIC in page.words
    assert f"{URL} Active" in page.words


def test_topics_on_offer_are_the_provider_s(env: Environment) -> None:
    page = env.open(adding(env), "adm")

    assert {TOPIC, "end_user.processed"} <= {each.attrs.get("value") for each in page.elements if each.tag == "option"}


@pytest.mark.parametrize("url", ["http://hooks.example.com/", "ftp://hooks.example.com/", "no address"])
def test_url_without_https_is_not_sent(env: Environment, url: str) -> None:
    answer = subscribe(env, url=url)

    assert answer.status == 422
    assert answer.error_at("url") == "Enter a URL that starts with https://."
    assert env.calls("POST", "/api/webhooks") == []


def test_same_form_sent_twice_subscribes_once(env: Environment) -> None:
    form = env.open(adding(env), "adm").form_with("topic")
    typed = form.values | {"topic": TOPIC, "url": URL}

    env.post(adding(env), typed, "adm")
    env.post(adding(env), typed, "adm")

    assert len(env.calls("POST", "/api/webhooks")) == 1


def test_rejection_is_shown_above_the_form_and_the_url_stays(env: Environment) -> None:
    env.open(adding(env), "adm")
    env.simulator.fail("POST", "/api/webhooks", "heron_400")

    answer = subscribe(env)

    assert answer.status == 422
    assert "The request could not be understood." in answer.words
    assert answer.inputs()["url"]["value"] == URL


def test_subscription_is_paused_and_resumed(env: Environment) -> None:
    subscribe(env)

    for done, badge in (
        ("Subscription paused. Webhooks for this topic won't arrive until you resume it.", "Paused"),
        ("Subscription resumed. Webhooks for this topic will arrive again.", "Active"),
    ):
        form = switch_of(env.open(listed(env), "adm"))
        env.post(form.action, form.values, "adm")
        page = env.open(listed(env), "adm")
        assert done in page.words
        assert f"{URL} {badge} " in page.words

    assert len(env.calls("PUT", "/api/webhooks")) == 2


@pytest.mark.parametrize("changed", [{"url": "https://elsewhere.example.com/"}, {"topic": "end_user.processed"}])
def test_pausing_a_subscription_cannot_change_its_url(env: Environment, changed: dict[str, str]) -> None:
    subscribe(env)
    form = switch_of(env.open(listed(env), "adm"))

    answer = env.post(form.action, form.values | changed, "adm")

    assert answer.status == 400
    assert env.calls("PUT", "/api/webhooks") == []


@pytest.mark.parametrize("webhook", ["w" * 121, "wbh%2Fgone", "wbh%20gone", "wbh%3Fgone"])
def test_what_cannot_be_an_id_is_no_page(env: Environment, webhook: str) -> None:
    assert env.open(f"/integrations/{env.heron.pk}/webhooks/{webhook}/end/", "adm").status == 404


def test_unsubscribing_explains_its_consequence_first(env: Environment) -> None:
    subscribe(env)
    ending = next(link for link in env.open(listed(env), "adm").links() if link.endswith("/end/"))

    page = env.open(ending, "adm")
    env.send(ending, "adm")

    assert f"{TOPIC} {URL}" in page.words
    assert "The provider stops sending webhooks for this topic to this URL" in page.words
    assert len(env.calls("DELETE", "/api/webhooks")) == 1
    assert "No subscription" in env.open(listed(env), "adm").words


def test_subscription_already_deleted_says_so(env: Environment) -> None:
    page = env.open(f"/integrations/{env.heron.pk}/webhooks/wbh_gone/end/", "adm")

    assert "Already unsubscribed" in page.words


def test_account_manager_sees_no_secret_of_an_address_and_no_button(env: Environment) -> None:
    subscribe(env)

    page = env.open(listed(env), "mia")

    assert "https://hooks.example.com/…" in page.words
    assert "1f4c9b2e" not in page.source
    assert not [form for form in page.forms if "enabled" in form.names]
    assert adding(env) not in page.links()


def test_all_reports_are_regenerated_after_the_name_is_typed(env: Environment) -> None:
    env.heron_link("Blue Fern", item_id="item-1")
    env.heron_link("Acme Corp", item_id="item-2")
    reports = f"/integrations/{env.heron.pk}/reports/"

    page = env.open(reports, "adm")
    wrong = env.send(reports, "adm", typed="Heron")
    right = env.send(reports, "adm", typed=env.heron.name)

    assert "2 links, 2 customers" in page.words
    assert (wrong.status, wrong.error_at("typed")) == (422, "This doesn't match the name. Nothing was sent.")
    operation = Operation.objects.get(kind=OperationKind.REGENERATE_REPORTS)
    assert right.location == operation.get_absolute_url()
    assert operation.end_user is None
    assert operation.state != State.PREPARED


def test_reports_of_a_provider_without_any_are_no_page(env: Environment) -> None:
    assert env.open(f"/integrations/{env.belvo.pk}/reports/", "adm").status == 404
    assert env.open(f"/integrations/{env.belvo.pk}/webhooks/add/", "adm").status == 404
