"""Texts that providers declare are in the source catalog, and each page translates them exactly once."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils.translation import trans_real
from pytest_django import Settings

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Institution
from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.providers.names import term_in_words
from linkadmin.providers.types import Cause, CredentialField
from tests.environment import Environment
from tests.scripted import answering, asks
from tests.tooling.test_messages import CATALOG, ROOT, sources

BANK = Institution(
    name="a_bank_fiscal",
    resources=["ACCOUNTS"],
    form_fields=[{"name": name} for name in ("username", "password", "token", "certificate")],
)


class EveryText(dict[Any, Any]):
    """A catalog that translates each text to itself in guillemets, so that a second translation shows."""

    def get(self, key: Any, default: Any = None) -> Any:
        return f"«{key}»" if isinstance(key, str) and key else default


@pytest.fixture
def translated(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # In a language of its own: what is drawn in it is kept for it alone.
    settings.LANGUAGE_CODE = "eo"
    settings.LANGUAGES = [("eo", "Esperanto")]
    catalog = trans_real.translation(settings.LANGUAGE_CODE)._catalog
    monkeypatch.setattr(catalog, "_catalogs", [EveryText(), *catalog._catalogs])


def declared_fields(kind: str) -> Iterator[CredentialField]:
    """Yield each field that a provider declares, for no institution and for one that asks for most."""
    provider = provider_class(kind)
    yield from (
        *provider.config_fields,
        *provider.webhook_fields,
        *provider.removal_fields,
        *provider.token_fields,
        *provider.link_filters,
        *provider.end_user_filters,
        *provider.institution_filters,
    )
    for bank in (None, BANK):
        yield from provider.create_fields(bank)
        yield from provider.update_fields(bank)
        yield from provider.settings_fields(bank)
        yield from provider.fetch_fields(bank)
        if code := provider.code_field(bank):
            yield code


def texts_of(field: CredentialField) -> Iterator[str]:
    yield from (field.label, field.help_text, field.pattern_message)
    for choice in field.choices:
        if choice.label not in {choice.value, term_in_words(choice.value)}:  # or else it's the provider's own term
            yield from (choice.label, choice.pattern_message)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_declared_texts_are_in_the_catalog(kind: str) -> None:
    provider = provider_class(kind)
    hints = provider.practice_hints
    declared = {text for field in declared_fields(kind) for text in texts_of(field)}
    declared |= {provider.remote_id_label, provider.removal_consequence, hints.create, hints.update, hints.code}

    assert declared - {""} - {text for _context, text in sources(ROOT / CATALOG)} == set()


def integration_page(env: Environment) -> str:
    return env.heron.get_absolute_url()


def new_belvo_link(env: Environment) -> str:
    return env.new_link_url("erebor_mx_retail")


def of_belvo_link(page: str) -> Callable[[Environment], str]:
    return lambda env: f"{env.belvo_link().get_absolute_url()}{page}"


def of_heron_link(page: str) -> Callable[[Environment], str]:
    return lambda env: f"{env.heron_link(cause=Cause.LOGIN_REFUSED).get_absolute_url()}{page}"


def records(provider: str, what: str) -> Callable[[Environment], str]:
    return lambda env: f"/integrations/{getattr(env, provider).pk}/records/{what}/"


def endpoint(env: Environment) -> str:
    return f"/integrations/{env.heron.pk}/endpoint/"


def institution_page(env: Environment) -> str:
    Institution.objects.filter(name="erebor_mx_retail").update(form_fields=[{"name": "password"}])
    return env.bank("erebor_mx_retail").get_absolute_url()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("url", "name", "texts"),
    [
        (lambda env: "/integrations/new/?provider=belvo", "adm", ["Secret ID", "Secret password"]),
        (lambda env: "/integrations/new/?provider=heron", "adm", ["API key", "Integration ID"]),
        (integration_page, "adm", ["Integration ID"]),
        (new_belvo_link, "ana", ["Recurring", "Data retention", "Second username"]),
        (lambda env: env.new_link_url(), "ana", ["Item ID", "Plaid's item_id. It's case-sensitive."]),
        (of_belvo_link(""), "ana", ["Link ID"]),
        (of_belvo_link("credentials/"), "ana", ["Encryption key", "Base64 or PEM text. Needs the private key too."]),
        (of_belvo_link("settings/"), "ana", ["Sync", "Recurring", "Data retention"]),
        (of_belvo_link("fetch/"), "ana", ["Fetched data"]),
        (of_belvo_link("delete/"), "ana", ["When", "In the background"]),
        (of_heron_link("access-token/"), "ana", ["Access token"]),
        (records("belvo", "links"), "ana", ["Sync interval", "Recurring", "One or more, separated by commas."]),
        (records("heron", "customers"), "ana", ["Sort by", "Review requested"]),
        (endpoint, "adm", ["Webhook secret", "Heron issues this secret and signs every delivery with it."]),
        (institution_page, "ana", ["Password"]),
    ],
)
@pytest.mark.usefixtures("translated")
def test_page_translates_declared_texts_once(
    env: Environment, url: Callable[[Environment], str], name: str, texts: list[str]
) -> None:
    page = env.open(url(env), name)

    assert [text for text in texts if f"«{text}»" not in page.words] == []
    assert [text for text in texts if f"««{text}" in page.words] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("translated")
def test_code_field_without_a_label_of_the_bank_has_ours_translated(env: Environment) -> None:
    link = env.belvo_link()
    fields = [{"name": "password"}, {"name": "token", "type": "number"}]
    Institution.objects.filter(pk=link.institution_id).update(form_fields=fields)
    with answering(env.belvo, asks(link.remote_id)):
        env.send(f"{link.get_absolute_url()}credentials/", password="pass")
        env.settled()

    page = env.open(f"{link.get_absolute_url()}code/")

    (label,) = re.findall(r'<label[^>]* for="id_code"[^>]*>(.*?)</label>', page.source, re.DOTALL)
    assert "«One-time code»" in label
    assert "««" not in label


@pytest.mark.django_db
@pytest.mark.usefixtures("translated")
def test_rejected_base_url_says_why_in_translation(env: Environment) -> None:
    Integration.objects.all().delete()
    typed = {"name": "Heron", "base_url": "https://example.com", "is_active": "on"}

    page = env.post("/integrations/new/?provider=heron", typed, "adm")

    assert "«The host must be one of: app.herondata.io.»" in page.words
