"""A third provider needs one module and one registry line, and every page works."""

import re

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, PendingChallenge, State
from linkadmin.providers.types import Cause, HealthState, LinkRef, Secret
from linkadmin.sync.institutions import due
from tests.environment import Environment
from tests.markup import Page

from .provider import Tinbank
from .server import RIGHT_TAN, UNREADABLE_CARD, TinbankServer

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]

ADD = "/integrations/new/?provider=tin_bank"
NUMBER = re.compile(r'class="challenge__number">(\d{6})<')
OTHERS = re.compile("belvo|heron|plaid|pass_valid|item id", re.IGNORECASE)


def test_its_deliveries_are_proved_and_read_by_its_own_module() -> None:
    rattle = b'{"rattle": "tin_rusted", "no": "tin-1"}'
    secrets = [Secret("rattle-old"), Secret("rattle-new")]

    assert Tinbank.webhook_is_genuine({"tin-rattle": "rattle-new"}, rattle, secrets)
    assert not Tinbank.webhook_is_genuine({"tin-rattle": "rattle"}, rattle, secrets)
    assert Tinbank.read_webhook(rattle).remote_link_id == "tin-1"


def test_its_links_are_read_one_by_one(tinbank: TinbankServer, env: Environment, integration: Integration) -> None:
    create(env, integration)
    link = Link.objects.get()
    refs = [LinkRef(link.remote_id, "cus-1"), LinkRef("tin-gone", "cus-1")]

    provider = client_for(integration)
    found = [[remote.remote_id for remote in provider.read_links(batch)] for batch in provider.batches(refs)]

    assert found == [[link.remote_id], []]


def create(env: Environment, integration: Integration, **typed: str) -> Page:
    values = {"end_user_id": "cus-1", "end_user_name": "Ivy Long", "bank_name": "Bank of Tin"}
    values |= {"card_kind": "debit", "card_number": "12345678", "pin": "right"}
    return env.send(f"/links/new/?integration={integration.pk}", **values | typed)


@pytest.fixture
def link(env: Environment, integration: Integration) -> Link:
    create(env, integration)
    return Link.objects.get()


@pytest.fixture
def rusty(env: Environment, link: Link, tinbank: TinbankServer) -> Link:
    """A link whose bank rejects the PIN."""
    tinbank.tins[link.remote_id].state = "rusty"
    env.post(f"/links/{link.pk}/refresh/")
    link.refresh_from_db()
    return link


def repair(env: Environment, link: Link, pin: str) -> Page:
    return env.send(f"/links/{link.pk}/credentials/", pin=pin)


def give(env: Environment, link: Link, tan: str) -> Page:
    return env.send(f"/links/{link.pk}/code/", code=tan)


class TestItsIntegration:
    def test_form_of_an_administrator_asks_for_what_it_needs(self, env: Environment) -> None:
        page = env.open(ADD, "adm")

        assert "?provider=tin_bank" in env.open("/integrations/new/", "adm").links()
        assert page.inputs()["tin_bank_pass_key"]["type"] == "password"
        assert '<option value="south">The south</option>' in page.source

    def test_is_stored_with_its_options_and_its_key_encrypted(self, integration: Integration) -> None:
        assert (integration.provider, integration.options) == ("tin_bank", {"region": "north"})
        assert [secret.name for secret in integration.secrets.all()] == ["pass_key"]

    def test_is_not_stored_without_its_own_fields(self, env: Environment, integration: Integration) -> None:
        typed = {"name": "Tins of nowhere", "environment": "sandbox", "base_url": integration.base_url}

        page = env.post(ADD, typed, "adm")

        assert page.error_at("tin_bank_pass_key") == page.error_at("tin_bank_region") == "This field is required."
        assert Integration.objects.count() == 1

    def test_is_tested_and_listed(self, env: Environment, integration: Integration) -> None:
        answer = env.post(f"{integration.get_absolute_url()}test/", name="adm")

        assert "accepted the API keys" in env.open(answer.location, "adm").words
        assert "Region north" in env.open(integration.get_absolute_url(), "adm").words
        assert "Tins of the north Tinbank http://127.0.0.1" in env.open("/integrations/", "adm").words

    def test_wrong_key_is_reported_without_the_key(self, env: Environment, integration: Integration) -> None:
        values = env.open(f"/integrations/{integration.pk}/edit/", "adm").form_with("base_url").values
        values |= {"is_active": "on", "tin_bank_pass_key": "a-wrong-pass-key"}
        env.post(f"/integrations/{integration.pk}/edit/", values, "adm")

        env.post(f"{integration.get_absolute_url()}test/", name="adm")

        integration.refresh_from_db()
        assert integration.keys_rejected
        assert integration.test_detail == "401 · key_unknown · withheld"  # its message contained the key

    def test_has_no_institution_list(self, integration: Integration) -> None:
        assert not due(now=timezone.now()).exists()


class TestNewLink:
    def test_form_offers_its_own_fields(self, env: Environment, integration: Integration) -> None:
        assert "Tins of the north" in env.open("/links/new/").words

        page = env.open(f"/links/new/?integration={integration.pk}")

        assert "Tinbank details" in page.words
        assert [name for name in page.inputs() if name in ("card_kind", "card_number", "pin")] == [
            "card_kind",
            "card_number",
            "pin",
        ]
        assert page.inputs()["pin"]["type"] == "password"

    def test_is_created_and_works(self, env: Environment, integration: Integration, tinbank: TinbankServer) -> None:
        answer = create(env, integration)

        link = Link.objects.get()
        assert answer.location == link.get_absolute_url()
        assert (link.remote_id, link.health) == ("TIN-0001", HealthState.HEALTHY.value)
        assert tinbank.posted("tins") == [
            {"holder": "cus-1", "card": {"kind": "debit", "number": "12345678"}, "pin": "right"}
        ]

    @pytest.mark.parametrize(("kind", "said"), [("debit", "A debit card has 8 digits"), ("credit", "")])
    def test_chosen_card_decides_what_its_number_looks_like(
        self, env: Environment, integration: Integration, kind: str, said: str
    ) -> None:
        page = create(env, integration, card_kind=kind, card_number="123456789012")

        assert page.error_at("card_number") == said
        assert Link.objects.exists() is not bool(said)

    def test_rejection_of_a_field_is_shown_there(self, env: Environment, integration: Integration) -> None:
        page = create(env, integration, card_number=UNREADABLE_CARD)

        assert page.status == 422
        assert page.error_at("card_number") == "This card is worn out"
        assert UNREADABLE_CARD not in page.source

    def test_rejected_pin_shows_our_words_and_its_own(self, env: Environment, integration: Integration) -> None:
        page = create(env, integration, pin="refused")

        assert page.status == 422
        assert "Wrong password" in page.words
        assert "Tinbank's response" in page.words
        assert "The vault did not open" in page.words
        assert "tr-77" in page.words

    def test_same_card_twice_is_a_duplicate(self, env: Environment, integration: Integration, link: Link) -> None:
        page = create(env, integration, end_user_id="cus-2", bank_name="")

        assert "The provider already has this link" in page.words
        assert Link.objects.get() == link

    def test_second_link_at_one_bank_asks_first(
        self, env: Environment, integration: Integration, link: Link, tinbank: TinbankServer
    ) -> None:
        page = create(env, integration, card_number="87654321")

        assert page.status == 409
        assert link.get_absolute_url() in page.links()
        assert len(tinbank.posted("tins")) == 1

    def test_lost_answer_is_found_by_reading(
        self, env: Environment, integration: Integration, tinbank: TinbankServer
    ) -> None:
        answer = create(env, integration, pin="lost")
        operation = env.last_operation()
        assert "Outcome unknown, checking" in env.open(answer.location).words

        tasks.reconcile_one(str(operation.pk))

        operation.refresh_from_db()
        assert (operation.state, operation.link) == (State.CONFIRMED_DONE, Link.objects.get())
        assert len(tinbank.posted("tins")) == 1

    def test_call_may_take_as_long_as_a_log_in_at_a_bank(
        self, env: Environment, integration: Integration, settings: Settings
    ) -> None:
        create(env, integration)

        operation = env.last_operation()
        assert operation.sent_at
        assert operation.lease_until
        assert (operation.lease_until - operation.sent_at).total_seconds() > settings.PROVIDER_CREDENTIALS_SECONDS


class TestItsLink:
    def test_page_shows_its_words_its_id_and_the_verdict(self, env: Environment, rusty: Link) -> None:
        page = env.open(rusty.get_absolute_url())

        assert "Ivy Long · Bank of Tin" in page.words
        assert "Sign-in needed" in page.words
        assert "Tin number TIN-0001" in page.words
        assert "rusty" in page.words

    def test_word_we_do_not_know_is_shown_as_received(
        self, env: Environment, link: Link, tinbank: TinbankServer
    ) -> None:
        tinbank.tins[link.remote_id].state = "galvanised"

        env.post(f"/links/{link.pk}/refresh/")

        page = env.open(link.get_absolute_url())
        assert "Unrecognized status" in page.words
        assert "galvanised" in page.words

    def test_link_it_does_not_know_any_more_has_ended(
        self, env: Environment, link: Link, tinbank: TinbankServer
    ) -> None:
        tinbank.tins.clear()

        env.post(f"/links/{link.pk}/refresh/")

        link.refresh_from_db()
        assert (link.health, link.cause) == (HealthState.DISCONNECTED.value, Cause.GONE.value)

    def test_overview_and_lists_show_it(self, env: Environment, rusty: Link) -> None:
        assert "1 of 1 active links is waiting on a customer" in env.open("/").words
        assert "Ivy Long cus-1 Bank of Tin Tins of the north" in env.open("/links/").words
        assert "Bank of Tin" in env.open(rusty.end_user.get_absolute_url()).words
        assert rusty.get_absolute_url() in env.post("/links/", {"q": "tin-0001"}).links()

    def test_no_page_uses_another_providers_terms(self, env: Environment, integration: Integration) -> None:
        create(env, integration, pin="code")
        link, operation = Link.objects.get(), env.last_operation()
        urls = ["/", "/links/", "/customers/", "/links/new/", f"/links/new/?integration={integration.pk}"]
        urls += [link.get_absolute_url(), f"/links/{link.pk}/code/"]
        pages = [env.open(url) for url in urls]
        env.post(f"/links/{link.pk}/code/withdraw/")
        pages += [env.open(url) for url in (f"/links/{link.pk}/credentials/", operation.get_absolute_url())]
        pages += [env.open(url, "adm") for url in ("/integrations/", integration.get_absolute_url())]

        assert {page.status for page in pages} == {200}
        assert [word for page in pages for word in OTHERS.findall(page.source)] == []


class TestRepair:
    def test_form_draws_the_one_field_it_takes(self, env: Environment, rusty: Link) -> None:
        page = env.open(f"/links/{rusty.pk}/credentials/")

        assert "Card PIN" in page.words
        assert "card_number" not in page.inputs()

    def test_rejected_pin_is_shown_and_counts(self, env: Environment, rusty: Link) -> None:
        page = repair(env, rusty, "refused")

        assert page.status == 422
        assert "The vault did not open" in page.words
        assert "refused" not in page.form_with("pin").values.values()
        assert env.last_operation(rusty).counts_as_attempt

    def test_accepted_pin_is_verified_by_a_read(self, env: Environment, rusty: Link) -> None:
        answer = repair(env, rusty, "right")
        assert "Verifying repair" in env.open(answer.location).words

        env.prove(rusty)

        assert not rusty.is_verifying
        assert rusty.health == HealthState.HEALTHY.value

    def test_lost_answer_is_confirmed_by_reading(self, env: Environment, rusty: Link, tinbank: TinbankServer) -> None:
        answer = repair(env, rusty, "lost")
        assert "Outcome unknown, checking" in env.open(answer.location).words

        tasks.reconcile_one(str(env.last_operation(rusty).pk))

        assert env.last_operation(rusty).state == State.CONFIRMED_DONE
        assert len(tinbank.posted("tins/TIN-0001/pin")) == 1

    def test_lost_rejection_is_learnt_from_its_own_word(
        self, env: Environment, rusty: Link, settings: Settings
    ) -> None:
        settings.RECONCILE_SETTLED_SECONDS = 0
        repair(env, rusty, "refused-lost")

        tasks.reconcile_one(str(env.last_operation(rusty).pk))

        operation = env.last_operation(rusty)
        assert (operation.state, operation.counts_as_attempt) == (State.CONFIRMED_NOT_DONE, True)


class TestCodeStep:
    @pytest.fixture
    def asked(self, env: Environment, rusty: Link) -> Link:
        answer = repair(env, rusty, "code")
        assert answer.location == f"/links/{rusty.pk}/code/"
        return rusty

    def test_shows_number_words_and_clock(self, env: Environment, asked: Link) -> None:
        page = env.open(f"/links/{asked.pk}/code/")

        assert NUMBER.search(page.source)
        assert "From the bank: Key this into your tin reader" in page.words
        assert [each.attrs["max"] for each in page.elements if each.tag == "progress"] == ["90"]

    def test_wrong_code_brings_a_new_number(self, env: Environment, asked: Link) -> None:
        before = NUMBER.findall(env.open(f"/links/{asked.pk}/code/").source)

        answer = give(env, asked, "0000")

        page = env.open(answer.location)
        assert "Wrong or expired code" in page.words
        assert NUMBER.findall(page.source) not in ([], before)

    def test_right_code_is_fixed_and_green_by_the_read(self, env: Environment, asked: Link) -> None:
        answer = give(env, asked, RIGHT_TAN)
        assert "Verifying repair" in env.open(answer.location).words

        env.prove(asked)

        assert "Working" in env.open(asked.get_absolute_url()).words
        asked.refresh_from_db()
        assert (asked.health, asked.is_verifying) == (HealthState.HEALTHY.value, False)

    def test_code_it_finds_too_late_starts_again(self, env: Environment, asked: Link, tinbank: TinbankServer) -> None:
        tinbank.tickets.clear()

        answer = give(env, asked, RIGHT_TAN)

        assert "Code expired The bank's time limit passed" in env.open(answer.location).words
        assert env.last_operation(asked).state == State.EXPIRED

    def test_completes_a_new_link(self, env: Environment, integration: Integration) -> None:
        answer = create(env, integration, pin="code")
        link = Link.objects.get()
        assert (answer.location, link.cause) == (f"/links/{link.pk}/code/", Cause.CODE_WAITING.value)

        give(env, link, RIGHT_TAN)

        link.refresh_from_db()
        assert link.health == HealthState.HEALTHY.value
        assert not PendingChallenge.objects.exists()
        assert not Operation.objects.open().exists()
