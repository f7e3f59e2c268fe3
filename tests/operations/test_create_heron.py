"""New Heron links: new or existing customers, rejections, and lost responses."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import HealthState
from tests.environment import Environment
from tests.markup import Page

pytestmark = pytest.mark.django_db(transaction=True)


def create(env: Environment, **typed: str) -> Page:
    values = {"end_user_id": "cus-1", "item_id": "item-1", "access_token": "access-sandbox-1"} | typed
    return env.send(env.new_link_url(), **values)


def create_for_new(env: Environment, **typed: str) -> Page:
    return create(env, end_user_name="Blue Fern Bakery", **typed)


def test_link_of_a_new_customer_is_created_and_shown(env: Environment) -> None:
    answer = create_for_new(env, bank_name="First Platypus Bank")

    link = Link.objects.get()
    assert (answer.status, answer.location) == (303, f"/links/{link.pk}/")
    assert (link.remote_id, link.end_user.name, link.bank) == ("item-1", "Blue Fern Bakery", "First Platypus Bank")
    assert link.health == HealthState.SETTING_UP.value
    assert link.data_source_id.startswith("dso_")
    assert "Blue Fern Bakery · First Platypus Bank" in env.open(answer.location).words


def test_existing_customer_needs_no_name_and_is_not_created_twice(env: Environment) -> None:
    customer = env.customer("Acme Corp")

    create(env, end_user_id=customer.external_id)

    assert Link.objects.get().end_user == customer
    assert EndUser.objects.count() == 1
    assert env.calls("POST")[0].body["end_user_name"] == "Acme Corp"


def test_name_of_another_customer_is_an_error_at_its_field(env: Environment) -> None:
    customer = env.customer("Acme Corp")

    page = create(env, end_user_id=customer.external_id, end_user_name="Blue Fern Bakery")

    assert page.status == 422
    assert page.error_at("end_user_name") == (
        "This ID belongs to \u2068Acme Corp\u2069. Correct the ID, or leave the name blank."
    )
    assert env.calls("POST") == []


def test_new_customer_without_a_name_is_an_error_at_its_field(env: Environment) -> None:
    page = create(env)

    assert page.status == 422
    assert "No customer has this ID yet" in page.error_at("end_user_name")
    assert not EndUser.objects.exists()


def test_empty_form_says_at_each_field_what_is_missing(env: Environment) -> None:
    page = create(env, end_user_id="", item_id="", access_token="")

    assert page.status == 422
    assert [page.error_at(name) for name in ("end_user_id", "item_id", "access_token")] == 3 * [
        "This field is required."
    ]


def test_form_keeps_typed_values_except_the_token(env: Environment) -> None:
    page = create(env, end_user_name="", bank_name="My bank", access_token="access-to-forget")

    inputs = page.inputs()
    assert (inputs["item_id"]["value"], inputs["bank_name"]["value"]) == ("item-1", "My bank")
    assert "value" not in inputs["access_token"]
    assert "access-to-forget" not in page.source


def test_listed_item_is_refused_before_any_request(env: Environment) -> None:
    existing = env.heron_link("Acme Corp")

    page = create_for_new(env, end_user_id="cus-other")

    assert page.status == 409
    assert "This link already exists" in page.words
    assert existing.get_absolute_url() in page.links()
    assert "access_token" not in page.inputs()
    assert env.calls("POST") == []


def test_second_link_at_one_bank_asks_first(env: Environment) -> None:
    existing = env.heron_link("Acme Corp", item_id="item-old", bank="First Platypus Bank")

    page = create(env, end_user_id=existing.end_user.external_id, bank_name="First Platypus Bank")

    assert page.status == 409
    assert "This customer already has a link at this bank" in page.words
    assert existing.get_absolute_url() in page.links()
    assert page.inputs()["second_link"] == {"type": "hidden", "name": "second_link", "value": "on"}
    assert 'name="access_token"' in page.source.split("Create a second link anyway</summary>")[1]
    assert env.calls("POST") == []


def test_second_link_at_one_bank_is_created_when_confirmed(env: Environment) -> None:
    existing = env.heron_link("Acme Corp", item_id="item-old", bank="First Platypus Bank")
    customer = existing.end_user
    page = create(env, end_user_id=customer.external_id, bank_name="First Platypus Bank")

    typed = {"access_token": "access-sandbox-1", "second_link": "on"}
    answer = env.post(env.new_link_url(), page.form_with("item_id").values | typed)

    assert answer.status == 303
    assert customer.links.count() == 2


def test_providers_422_is_shown_at_its_field(env: Environment) -> None:
    page = create_for_new(env, access_token="access-invalid")

    assert page.status == 422
    assert page.error_at("access_token") == "Invalid access token."
    assert "The provider rejected the form" in page.words
    assert not Link.objects.exists()


@pytest.mark.parametrize("token", ["access-409", "access-known"])
def test_duplicate_reported_by_the_provider_is_shown(env: Environment, token: str) -> None:
    page = create_for_new(env, access_token=token)

    assert page.status == 422
    assert "The provider already has this link" in page.words
    assert "A link with this item_id already exists" in page.words
    assert not Link.objects.exists()


def test_link_that_only_the_provider_knew_is_listed_and_offered(env: Environment) -> None:
    customer = env.customer()
    body = {"access_token": "access-sandbox-1", "end_user_id": customer.external_id, "item_id": "item-1"}
    env.call_heron("POST", "/api/integrations/itg_sandbox_transactions/links", body)

    page = create(env, end_user_id=customer.external_id)

    link = Link.objects.get(remote_id="item-1", end_user=customer)
    assert "It's listed here now" in page.words
    assert link.get_absolute_url() in page.links()


def test_rejected_keys_warn_at_the_integration_and_leave_links_alone(env: Environment) -> None:
    link = env.heron_link(item_id="item-old")
    before = link.health

    page = create_for_new(env, access_token="access-401")

    link.refresh_from_db()
    assert page.status == 422
    assert "The provider rejected our API keys" in page.words
    assert Integration.objects.get(pk=env.heron.pk).keys_rejected
    assert link.health == before


def test_nothing_is_sent_while_api_keys_are_rejected(env: Environment) -> None:
    form = env.open(env.new_link_url()).form_with("access_token")
    Integration.objects.filter(pk=env.heron.pk).update(key_state=Integration.KeyState.REJECTED)

    typed = {"end_user_id": "new-1", "end_user_name": "New Ltd", "access_token": "access-1", "item_id": "item-1"}
    page = env.post(env.new_link_url(), form.values | typed)

    assert page.status == 409
    assert "is rejecting our API keys" in page.words
    assert env.calls("POST") == []


def test_busy_provider_says_when_to_try_again(env: Environment) -> None:
    page = create_for_new(env, access_token="access-429")

    operation = env.last_operation()
    assert operation.retry_at is not None
    assert operation.retry_at > timezone.now()
    assert "Can't do this right now" in page.words
    assert "Try again after" in page.words


@pytest.mark.parametrize("token", ["access-lost", "access-500-acted", "access-unreadable", "access-cut"])
def test_lost_response_is_unknown_and_found_by_reading(env: Environment, token: str) -> None:
    answer = create_for_new(env, access_token=token)
    operation = env.last_operation()
    assert "Outcome unknown, checking" in env.open(answer.location).words

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.CONFIRMED_DONE, "found")
    assert operation.link == Link.objects.get(remote_id="item-1")
    assert len(env.calls("POST")) == 1


def test_missing_link_was_not_created_once_the_proof_time_has_passed(env: Environment, settings: Settings) -> None:
    create_for_new(env, access_token="access-lost-before")
    operation = env.last_operation()
    tasks.reconcile_one(str(operation.pk))
    operation.refresh_from_db()
    assert operation.state == State.UNKNOWN

    settings.RECONCILE_SETTLED_SECONDS = 0
    Operation.objects.update(check_at=timezone.now())
    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.CONFIRMED_NOT_DONE, "not_found")
    assert len(env.calls("POST")) == 1


def test_failed_form_can_be_corrected_without_retyping(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    create_for_new(env, access_token="access-lost-before")
    operation = env.last_operation()
    tasks.reconcile_one(str(operation.pk))

    page = env.open(operation.get_absolute_url())
    again = env.open(next(url for url in page.links() if "operation=" in url))

    assert again.inputs()["item_id"]["value"] == "item-1"
    assert again.inputs()["end_user_id"]["value"] == "cus-1"


def test_unreachable_provider_was_sent_nothing(env: Environment) -> None:
    Integration.objects.filter(pk=env.heron.pk).update(base_url="http://127.0.0.1:9")

    page = create_for_new(env)

    assert page.status == 422
    assert "Nothing was sent" in page.words
    assert env.last_operation().state == State.NOT_SENT
    assert Integration.objects.get(pk=env.heron.pk).key_state == Integration.KeyState.UNTESTED


@pytest.mark.parametrize("typed", ["a/b?c#d", "<script>", "cus 1", "é-1", "Acme & Sons/12 %", "..", "x" * 140])
def test_any_customer_id_the_provider_accepts_is_accepted(env: Environment, typed: str) -> None:
    answer = env.send(
        env.new_link_url(), end_user_id=typed, end_user_name="New Ltd", access_token="access-1", item_id="item-1"
    )

    assert answer.status == 303
    link = Link.objects.select_related("end_user").get()
    assert link.end_user.external_id == typed
    env.prove(link)
    assert link.check_failed == ""
    assert env.open(answer.headers["location"]).status == 200


def test_spaces_around_a_customer_id_count_only_if_somebody_has_that_id(env: Environment) -> None:
    EndUser.objects.create(external_id=" cus 1", name="Spaced Ltd")
    typed = {"access_token": "access-1", "end_user_name": "", "item_id": "item-1"}

    env.send(env.new_link_url(), **typed, end_user_id=" cus 1")
    env.send(env.new_link_url(), **{**typed, "item_id": "item-2", "end_user_name": "Bare"}, end_user_id="  cus 2 ")

    assert set(Link.objects.values_list("end_user__external_id", flat=True)) == {" cus 1", "cus 2"}
