"""Capabilities match the calls a provider implements, and its limits name its own calls."""

import re
from collections.abc import Mapping
from inspect import isfunction
from itertools import chain

import pytest

from linkadmin.providers import COMPANIONS, PROVIDERS, provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.declared import Declared
from linkadmin.providers.errors import Unsupported
from linkadmin.providers.types import Capability

CALLS: Mapping[Capability, frozenset[str]] = {
    Capability.CREATE: frozenset({"create_fields", "create_link", "find_link", "read_link"}),
    Capability.UPDATE_CREDENTIALS: frozenset({"update_fields", "update_credentials", "submit_code", "code_field"}),
    Capability.INSTITUTIONS: frozenset(
        {"fixed_values", "list_institutions", "find_institutions", "institution_filters"}
    ),
    Capability.REFRESH_DATA: frozenset({"refresh_data"}),
    Capability.CHANGE_SETTINGS: frozenset({"settings_fields", "change_settings"}),
    Capability.REMOVE_LINK: frozenset({"remove_link"}),
    Capability.REPLACE_TOKEN: frozenset({"token_fields", "replace_token"}),
    Capability.REPAIR_URL: frozenset({"create_repair_url"}),
    Capability.REPAIR_SESSION: frozenset({"create_session", "read_item_id", "read_session"}),
    Capability.REGENERATE_REPORTS: frozenset({"regenerate_reports"}),
    Capability.LINKS: frozenset({"customer_filters", "link_filters", "list_links"}),
    Capability.CONSENTS: frozenset({"list_consents"}),
    Capability.END_USERS: frozenset(
        {
            "end_user_filters",
            "list_end_users",
            "read_end_user",
            "read_processing",
            "create_end_user",
            "rename_end_user",
        }
    ),
    Capability.DATA_SOURCES: frozenset({"list_data_sources", "switch_data_source"}),
    Capability.CONNECTORS: frozenset({"list_connectors"}),
    Capability.WEBHOOKS: frozenset(
        {"list_webhooks", "list_webhook_topics", "add_webhook", "switch_webhook", "remove_webhook"}
    ),
    Capability.WEBHOOK_DELIVERIES: frozenset({"webhook_is_genuine", "read_webhook"}),
}
ALWAYS_OR_OPTIONAL = frozenset(
    {
        "test_connection",
        "fetch_fields",
        "removal_fields",
        "removal_call",
        "check_base_url",
        "is_sandbox",
        "page_url",
        "quota_scope",
        "batches",
        "read_institution",
        "read_links",
        "webhook_key",
        "read_webhook_key",
        "secrets_in_webhook",
        "check_option",
        "needs_access_token",
        "webhook_key_id",
        "new_webhook_secret",
    }
)

every_provider = pytest.mark.parametrize("kind", sorted(PROVIDERS))


INTERFACE = frozenset(
    name
    for name, value in {**vars(Declared), **vars(Provider)}.items()
    if name[0] != "_" and (callable(value) or isinstance(value, classmethod) or name.endswith(("_fields", "_filters")))
) - frozenset({"config_fields", "webhook_fields"})


def written_by(provider: type[Provider]) -> frozenset[str]:
    """Return the public calls and forms defined in a provider's own modules."""
    own = provider.mro()[: provider.mro().index(Provider)]
    return INTERFACE.intersection(chain.from_iterable(map(vars, own)))


def test_every_call_belongs_to_a_capability() -> None:
    assert set(CALLS) == set(Capability)
    assert frozenset().union(*CALLS.values()) | ALWAYS_OR_OPTIONAL == INTERFACE


@pytest.mark.parametrize("kind", [*sorted(PROVIDERS), *COMPANIONS])
@pytest.mark.parametrize("capability", Capability)
def test_a_provider_claims_a_capability_if_it_has_its_calls(kind: str, capability: Capability) -> None:
    provider = provider_class(kind)
    claimed = capability in provider.capabilities
    assert CALLS[capability] & written_by(provider) == (CALLS[capability] if claimed else frozenset())


@every_provider
def test_quotas_are_of_its_own_calls_and_leave_room_for_them(kind: str) -> None:
    provider = provider_class(kind)
    assert provider.quotas
    scopes = [quota.scope for quota in provider.quotas]
    assert len(set(scopes)) == len(scopes)
    assert {scope for scope in scopes if scope} <= written_by(provider)
    assert all(quota.calls > 0 and quota.seconds > 0 for quota in provider.quotas)


def test_each_call_of_heron_is_counted_where_its_endpoint_is() -> None:
    heron = provider_class("heron")
    calls = {name for name in written_by(heron) if isfunction(vars(Provider).get(name))}
    assert {quota.scope for quota in heron.quotas} == {heron.quota_scope(call) for call in calls}
    assert {heron.quota_scope(call) for call in ("read_link", "find_link", "list_links_everywhere")} == {"read_link"}
    assert heron.quota_scope("read_links") == heron.quota_scope("list_links") == "list_links"


@every_provider
def test_only_who_sends_messages_says_what_proves_them(kind: str) -> None:
    provider = provider_class(kind)
    sends = Capability.WEBHOOK_DELIVERIES in provider.capabilities
    assert [(field.secret, field.required) for field in provider.webhook_fields] == [(True, True)] * sends
    if provider.generates_webhook_secret:
        (field,) = provider.webhook_fields
        assert re.match(field.pattern, provider.new_webhook_secret().reveal())
    else:
        with pytest.raises(Unsupported):
            provider.new_webhook_secret()
