"""What a provider says it can do is what it does, and what it says of its limits is about its own calls."""

from collections.abc import Mapping

import pytest

from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.types import Capability

CALLS: Mapping[Capability, frozenset[str]] = {
    Capability.CREATE: frozenset({"create_fields", "create_link", "find_link", "read_link"}),
    Capability.UPDATE_CREDENTIALS: frozenset({"update_fields", "update_credentials", "submit_token"}),
    Capability.INSTITUTIONS: frozenset(
        {"fixed_values", "list_institutions", "find_institutions", "read_institution", "institution_filters"}
    ),
    Capability.FETCH_DATA: frozenset({"fetch_data"}),
    Capability.CHANGE_SETTINGS: frozenset({"settings_fields", "change_settings"}),
    Capability.REMOVE_LINK: frozenset({"remove_link"}),
    Capability.REPLACE_TOKEN: frozenset({"token_fields", "replace_token"}),
    Capability.REPAIR_ADDRESS: frozenset({"make_repair_address"}),
    Capability.REFRESH_REPORTS: frozenset({"refresh_reports"}),
    Capability.LINKS: frozenset({"customer_filters", "link_filters", "list_links"}),
    Capability.CONSENTS: frozenset({"list_consents", "read_consent"}),
    Capability.END_USERS: frozenset(
        {"end_user_filters", "list_end_users", "read_end_user", "read_processing", "create_end_user"}
    ),
    Capability.DATA_SOURCES: frozenset({"list_data_sources", "switch_data_source"}),
    Capability.CONNECTORS: frozenset({"list_connectors"}),
    Capability.WEBHOOKS: frozenset(
        {"list_webhooks", "list_webhook_topics", "add_webhook", "switch_webhook", "remove_webhook"}
    ),
}
ALWAYS_OR_OPTIONAL = frozenset(
    {"test_connection", "fetch_fields", "removal_fields", "removal_call", "address_fields", "check_base_url"}
)

every_provider = pytest.mark.parametrize("kind", sorted(PROVIDERS))


def written_by(provider: type[Provider]) -> frozenset[str]:
    """Return the public calls and forms that a provider's own module has."""
    declared = {name for name, value in vars(Provider).items() if callable(value) or isinstance(value, classmethod)}
    return frozenset(name for name in vars(provider) if name in declared and not name.startswith("_"))


def test_every_call_belongs_to_a_capability() -> None:
    assert set(CALLS) == set(Capability)
    assert written_by(Provider) == frozenset().union(*CALLS.values()) | ALWAYS_OR_OPTIONAL


@every_provider
@pytest.mark.parametrize("capability", Capability)
def test_a_capability_is_claimed_by_whoever_has_its_calls(kind: str, capability: Capability) -> None:
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


def test_each_call_of_heron_has_a_quota_of_its_own() -> None:
    heron = provider_class("heron")
    calls = {name for name in written_by(heron) if not name.endswith(("_fields", "_filters"))}
    assert {quota.scope for quota in heron.quotas} == calls
