"""Rules for every provider in the registry, and for one that isn't in it yet."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Failure, KeysRejected, NotSent, ProviderError, Unsupported
from linkadmin.providers.types import Capability, Cause, LinkRef, NewLink, Secret

from .conftest import RecordingAdmission, Script, reply

Serve = Callable[..., Script]

every_provider = pytest.mark.parametrize("kind", [*sorted(PROVIDERS), "tin_bank"])
SECRET_INPUTS = ("access_token", "username", "username2", "password", "password2", "token", "certificate")


@pytest.fixture(autouse=True)
def _third_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "tin_bank", "tests.toy.provider:Tinbank")  # type: ignore[arg-type]


def configured(kind: str, url: str) -> Provider:
    fields = provider_class(kind).config_fields
    return provider_class(kind)(
        base_url=url,
        options={field.name: "itg_1" for field in fields if not field.secret},
        secrets={field.name: Secret(f"canary-key-{field.name}") for field in fields if field.secret},
        admission=RecordingAdmission(retries=0),
        allow_loopback=True,
    )


def new_link() -> NewLink:
    typed = {name: Secret(f"canary-{name}") for name in SECRET_INPUTS}
    return NewLink("cust-0001", "Blue Fern Bakery", "erebor_mx_retail", {**typed, "item_id": "item-1"})


@every_provider
def test_it_names_itself_its_hosts_and_its_keys(kind: str) -> None:
    cls = provider_class(kind)
    assert cls.kind == kind
    assert cls.label
    assert cls.allowed_hosts
    assert cls.sandbox_hosts < cls.allowed_hosts
    assert any(field.secret for field in cls.config_fields)


@every_provider
def test_missing_keys_are_the_integrations_trouble(kind: str) -> None:
    with pytest.raises(KeysRejected) as caught:
        provider_class(kind)(base_url="https://example.com", options={}, secrets={}, admission=RecordingAdmission())
    assert caught.value.failure.reason == "not_configured"


@every_provider
def test_what_it_cannot_do_is_unsupported(kind: str) -> None:
    provider = configured(kind, "http://127.0.0.1:9")
    if Capability.UPDATE_CREDENTIALS not in provider.capabilities:
        with pytest.raises(Unsupported):
            provider.update_credentials(LinkRef("1", "2"), {})
    if Capability.INSTITUTIONS not in provider.capabilities:
        with pytest.raises(Unsupported):
            provider.list_institutions()


@every_provider
def test_what_it_can_do_is_sent(kind: str) -> None:
    provider = configured(kind, "http://127.0.0.1:9")  # nothing listens there
    assert Capability.CREATE in provider.capabilities
    with pytest.raises(NotSent):
        provider.create_link(new_link())


@every_provider
def test_an_id_that_is_typed_fits_where_ids_are_stored(kind: str) -> None:
    for field in provider_class(kind).create_fields(None):
        if field.identifies:
            assert 0 < field.max_length <= 120
            assert field.pattern
            assert field.pattern_message
            assert not field.secret


@every_provider
def test_no_address_carries_a_secret(serve: Serve, kind: str) -> None:
    script = serve(reply(400, b""))
    provider = configured(kind, script.url)
    for call in (provider.test_connection, lambda: provider.create_link(new_link())):
        with pytest.raises(ProviderError):
            call()
    assert [sent.path for sent in script.received if "canary" in sent.path] == []


BROKEN_BODIES = (
    b"",
    b"<html>",
    b"[]",
    b"{}",
    b"null",
    b"5",
    b'[[{"code":{}}]]',
    b'{"code":[1]}',
    b'{"description":[1]}',
)


@every_provider
@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 409, 422, 428, 429, 500, 503])
def test_no_response_makes_it_raise_anything_else(serve: Serve, kind: str, status: int) -> None:
    provider = configured(kind, serve(*(reply(status, body) for body in BROKEN_BODIES)).url)
    for _ in BROKEN_BODIES:
        with pytest.raises(ProviderError) as caught:
            provider.create_link(new_link())
        assert caught.value.failure.operation == f"{kind}.create_link"


def test_a_provider_says_no_to_everything_it_does_not_override() -> None:
    class Toy(Provider):
        kind = "toy"

    toy = Toy(base_url="https://toy.example", options={}, secrets={}, admission=RecordingAdmission())
    calls: list[Callable[[], object]] = [
        toy.test_connection,
        lambda: toy.create_fields(None),
        lambda: toy.create_link(new_link()),
        lambda: toy.update_credentials(LinkRef("1", "2"), {}),
        lambda: toy.submit_code(session=Secret("s"), remote_link_id="1", code=None),
        lambda: toy.read_link(LinkRef("1", "2")),
        lambda: toy.find_link(remote_id="1", end_user_id="2", institution=""),
        toy.list_institutions,
        toy.new_webhook_secret,
        lambda: toy.webhook_is_genuine({}, b"", []),
        lambda: toy.read_webhook(b"{}"),
        lambda: toy.read_links([LinkRef("1", "2")]),
    ]
    for call in calls:
        with pytest.raises(Unsupported):
            call()
    assert toy.update_fields(None) == ()
    assert toy.webhook_fields == ()


def test_an_unknown_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        provider_class("no_bank")


def test_an_error_says_what_a_colleague_may_read_aloud() -> None:
    error = ProviderError(Failure("belvo.read_link", status=404, code="not_found", words="Not found."))
    assert str(error) == "belvo.read_link: 404 not_found"


def test_causes_fit_a_short_column() -> None:
    assert max(len(cause) for cause in Cause) <= 40


def test_the_package_knows_no_django_and_the_registry_loads_nothing_heavy() -> None:
    probe = (
        "import sys, types; package = types.ModuleType('linkadmin'); package.__path__ = ['linkadmin'];"
        "sys.modules['linkadmin'] = package; import linkadmin.providers;"
        "assert 'requests' not in sys.modules; linkadmin.providers.provider_class('belvo');"
        "linkadmin.providers.provider_class('heron'); assert 'django' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
