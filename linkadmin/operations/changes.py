"""How each change beside creating and repairing a link is made: what a provider must be able to do, and the one call.

A kind that is not here has a service of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from linkadmin.integrations.models import Integration
from linkadmin.links.causes import Group
from linkadmin.links.models import Institution, Link
from linkadmin.providers.base import Provider
from linkadmin.providers.records import RemoteWebhook
from linkadmin.providers.types import Capability, CredentialField, LinkRef, Value, Values

from .models import Operation
from .models import OperationKind as Kind

YES, NO = "yes", "no"  # how a form says whether something is to be on


@dataclass(frozen=True, slots=True)
class Subject:
    """What a change is about, by the ids that the provider knows; empty where it is not about such a thing."""

    link: LinkRef
    end_user_name: str
    remote_id: str  # of a data source or a subscription


@dataclass(frozen=True, slots=True)
class Change:
    capability: Capability
    call: Callable[[Provider, Subject, Values], object]


CHANGES: Mapping[str, Change] = {
    Kind.REFRESH_DATA: Change(
        Capability.REFRESH_DATA, lambda provider, about, values: provider.refresh_data(about.link, values)
    ),
    Kind.CHANGE_SETTINGS: Change(
        Capability.CHANGE_SETTINGS, lambda provider, about, values: provider.change_settings(about.link, values)
    ),
    Kind.REMOVE_LINK: Change(
        Capability.REMOVE_LINK, lambda provider, about, values: provider.remove_link(about.link, values)
    ),
    Kind.REPLACE_TOKEN: Change(
        Capability.REPLACE_TOKEN, lambda provider, about, values: provider.replace_token(about.link, values)
    ),
    Kind.REPAIR_URL: Change(
        Capability.REPAIR_URL, lambda provider, about, values: provider.create_repair_url(about.link, values)
    ),
    Kind.REGENERATE_REPORTS: Change(
        Capability.REGENERATE_REPORTS,
        lambda provider, about, _values: provider.regenerate_reports(about.link.end_user_id),
    ),
    Kind.CREATE_END_USER: Change(
        Capability.END_USERS,
        lambda provider, about, _values: provider.create_end_user(about.link.end_user_id, about.end_user_name),
    ),
    Kind.SWITCH_DATA_SOURCE: Change(
        Capability.DATA_SOURCES,
        lambda provider, about, values: provider.switch_data_source(about.remote_id, enabled=is_on(values)),
    ),
    Kind.ADD_WEBHOOK: Change(
        Capability.WEBHOOKS,
        lambda provider, _about, values: provider.add_webhook(_text(values, "topic"), _text(values, "url")),
    ),
    Kind.SWITCH_WEBHOOK: Change(
        Capability.WEBHOOKS,
        lambda provider, about, values: provider.switch_webhook(_webhook(about, values), enabled=is_on(values)),
    ),
    Kind.REMOVE_WEBHOOK: Change(
        Capability.WEBHOOKS, lambda provider, about, _values: provider.remove_webhook(about.remote_id)
    ),
}


def subject_of(operation: Operation) -> Subject:
    customer = operation.end_user
    of_customer = LinkRef(remote_id="", end_user_id=customer.external_id if customer else "")
    return Subject(
        link=operation.link.ref if operation.link else of_customer,
        end_user_name=customer.name if customer else "",
        remote_id=operation.natural_key,
    )


def would_repeat_refusal(link: Link) -> bool:
    """Tell whether a fetch would try a login at the bank that it has refused, or that waits for the customer."""
    is_refused = link.verdict.state in Group.CUSTOMER.states and not link.is_verifying
    return link.integration.provider_class.logs_in_itself and is_refused


def login_fields(integration: Integration, institution: Institution | None) -> tuple[CredentialField, ...]:
    """Return what staff can type to repair a link there; nothing where the customer consents at the bank instead."""
    if institution is not None and institution.is_by_consent:
        return ()
    return integration.provider_class.update_fields(institution)


def is_on(values: Mapping[str, object]) -> bool:
    """Tell whether a form wants a thing switched on."""
    return values.get("enabled") == YES


def differing(link: Link, values: Values) -> dict[str, Value]:
    """Return the settings that are not the link's present ones."""
    return {name: value for name, value in values.items() if comparable(value) != comparable(getattr(link, name, ""))}


def comparable(value: object) -> object:
    """Return a setting such that two are equal if they mean the same: an order of several means nothing."""
    return frozenset(value) if isinstance(value, list | tuple) else value


def _text(values: Values, name: str) -> str:
    return str(values.get(name, ""))


def _webhook(about: Subject, values: Values) -> RemoteWebhook:
    """Return the subscription as it is now, before it is switched."""
    return RemoteWebhook(about.remote_id, _text(values, "topic"), _text(values, "url"), enabled=not is_on(values))
