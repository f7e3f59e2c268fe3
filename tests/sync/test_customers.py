"""Provider records of a customer or link; adding a customer, excluding a data source."""

import pytest
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser
from linkadmin.operations.models import Operation, OperationKind, State
from tests.environment import Environment
from tests.markup import Form, Page

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]


def at(integration: Integration, customer: EndUser) -> str:
    return f"/customers/{customer.pk}/records/{integration.pk}/"


def form_to(page: Page, ending: str) -> Form:
    return next(form for form in page.forms if form.action.endswith(ending))


def test_page_of_a_customer_leads_to_the_providers_that_can_tell(env: Environment) -> None:
    with_belvo, without = env.belvo_link().end_user, env.customer("Newcomer")

    linked, unlinked = env.open(with_belvo.get_absolute_url()), env.open(without.get_absolute_url())

    assert {at(env.belvo, with_belvo), at(env.heron, with_belvo)} <= {*linked.links()}
    assert at(env.heron, without) in unlinked.links()
    assert at(env.belvo, without) not in unlinked.links()
    assert at(env.heron, without) not in env.open(without.get_absolute_url(), "aud").links()


def test_record_links_and_sources_are_on_one_page(env: Environment) -> None:
    link = env.heron_link("Blue Fern", item_id="item-blue")
    env.clock.forward(60)

    page = env.open(at(env.heron, link.end_user))

    assert "Blue Fern at Heron" in page.words
    assert "Provider status new" in page.words
    assert "Processing processed" in page.words
    assert "item-blue plaid_integration Working" in page.words
    assert "integration_link" in page.words
    assert "120 transactions" in page.words
    assert link.get_absolute_url() in page.links()


def test_provider_without_customers_shows_the_links_that_carry_their_id(env: Environment) -> None:
    link, other = env.belvo_link("Acme Corp"), env.belvo_link("Other", bank="gringotts_mx_retail")

    page = env.open(at(env.belvo, link.end_user))

    assert link.remote_id in page.words
    assert other.remote_id not in page.words
    assert page.words.count(link.bank) == 2  # where it leads, and what our own link is called there
    assert "Customer record" not in page.words


def test_customer_can_be_added_to_the_provider_once(env: Environment) -> None:
    customer = env.customer("Newcomer")
    tell = form_to(env.open(at(env.heron, customer)), "/tell/")

    first, second = env.post(tell.action, tell.values), env.post(tell.action, tell.values)

    assert (first.location, second.location) == (at(env.heron, customer), at(env.heron, customer))
    assert len(env.calls("POST", "/api/end_users")) == 1
    page = env.open(first.location)
    assert "Customer added to Heron." in page.words
    assert f"Customer ID {customer.external_id}" in page.words


def test_account_manager_cannot_add_a_customer(env: Environment) -> None:
    customer = env.customer("Newcomer")

    page = env.open(at(env.heron, customer), "mia")

    assert "Heron has no record of this customer" in page.words
    assert not [form for form in page.forms if form.action.endswith("/tell/")]
    assert env.post(f"{at(env.heron, customer)}tell/", name="mia").status == 403


def test_source_is_excluded_and_included_again(env: Environment) -> None:
    link = env.heron_link("Blue Fern")
    here = at(env.heron, link.end_user)

    for done, badge in (("Data source excluded.", "Excluded"), ("Data source included.", "Included")):
        switch = next(form for form in env.open(here).forms if "enabled" in form.names)
        env.post(switch.action, switch.values)
        page = env.open(here)
        assert done in page.words
        assert f"{badge} " in page.words

    assert len(env.calls("PUT", "/api/data_sources")) == 2
    kinds = Operation.objects.filter(end_user=link.end_user, state=State.SUCCEEDED).values_list("kind", flat=True)
    assert set(kinds) == {OperationKind.SWITCH_DATA_SOURCE}


def test_source_of_another_customer_is_not_switched_under_this_one_s_name(env: Environment) -> None:
    blue, green = env.heron_link("Blue Fern"), env.heron_link("Green Fern", item_id="item-2")
    own, other = (
        next(form for form in env.open(at(env.heron, link.end_user)).forms if "enabled" in form.names)
        for link in (blue, green)
    )
    ours, theirs = own.action.rstrip("/").rpartition("/")[2], other.action.rstrip("/").rpartition("/")[2]

    answer = env.post(own.action.replace(ours, theirs), own.values)

    assert ours != theirs
    assert answer.status == 400
    assert env.calls("PUT", "/api/data_sources") == []


def test_rejected_change_leads_to_its_operation(env: Environment) -> None:
    link = env.heron_link("Blue Fern")
    switch = next(form for form in env.open(at(env.heron, link.end_user)).forms if "enabled" in form.names)
    env.simulator.fail("PUT", "/api/data_sources", "heron_404")

    answer = env.post(switch.action, switch.values)

    assert answer.location == env.last_operation().get_absolute_url()
    assert env.last_operation().state == State.REJECTED


def test_form_without_its_key_changes_nothing(env: Environment) -> None:
    customer = env.customer("Newcomer")

    assert env.post(f"{at(env.heron, customer)}tell/").status == 400
    assert env.calls("POST", "/api/end_users") == []


def test_part_that_fails_does_not_spoil_the_others(env: Environment, settings: Settings) -> None:
    link = env.heron_link("Blue Fern", item_id="item-blue")
    env.simulator.fail("GET", "/api/end_users/*/data_sources", "html_200", times=9)

    page = env.open(at(env.heron, link.end_user))

    assert "item-blue plaid_integration" in page.words
    assert "No usable response" in page.words


def test_page_of_a_link_leads_to_what_is_behind_it(env: Environment) -> None:
    heron, belvo = env.heron_link("Blue Fern"), env.belvo_link("Acme Corp")
    env.clock.forward(60)

    behind_heron, behind_belvo = (env.open(f"{link.get_absolute_url()}records/") for link in (heron, belvo))

    assert f"{heron.get_absolute_url()}records/" in env.open(heron.get_absolute_url()).links()
    assert "120 transactions" in behind_heron.words
    assert "The provider has no consents for this link." in behind_belvo.words


def test_source_of_another_link_is_not_behind_this_one(env: Environment) -> None:
    link = env.heron_link("Blue Fern", item_id="item-blue")
    body = {"access_token": "access-2", "end_user_id": link.end_user.external_id, "item_id": "item-green"}
    env.call_heron("POST", "/api/integrations/itg_sandbox_transactions/links", body)

    page = env.open(f"{link.get_absolute_url()}records/")

    assert "item-blue" in page.words
    assert "item-green" not in page.words


def test_consent_is_shown_with_its_own_status_and_clock(env: Environment) -> None:
    link = env.belvo_link("Acme Corp", bank="ofmockbank_br_retail")

    page = env.open(f"{link.get_absolute_url()}records/")

    assert "AUTHORISED" in page.words
    assert "Renew by" in page.words


def test_viewing_a_customer_at_a_provider_is_audited(env: Environment) -> None:
    link = env.heron_link("Blue Fern")

    env.open(at(env.heron, link.end_user))
    env.open(f"{link.get_absolute_url()}records/")

    seen = AuditEvent.objects.filter(action="provider_records.viewed").order_by("seq")
    assert [(event.object_type, event.object_id) for event in seen] == [
        ("end_user", str(link.end_user_id)),
        ("link", str(link.pk)),
    ]


def test_customer_and_integration_that_are_not_there_are_not_found(env: Environment) -> None:
    nobody = "6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a"

    assert env.open(f"/customers/{nobody}/records/{env.heron.pk}/").status == 404
    assert env.open(f"/customers/{env.customer().pk}/records/{nobody}/").status == 404
