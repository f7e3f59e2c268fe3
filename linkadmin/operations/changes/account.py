"""Changes beside links: customers, their data sources, and our webhook subscriptions."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.roles import Right
from linkadmin.operations.forms.provider import FilledForm
from linkadmin.operations.models import NOT_TAKEN, Operation, OperationKind, State
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound
from linkadmin.providers.records import RemoteDataSource, RemoteEndUser, RemoteWebhook
from linkadmin.providers.types import Capability, CredentialField, Values

from .row import NOTHING, Change, ChangePage, Explanation, Finding, not_done, provider_of

YES, NO = "yes", "no"  # form values for on and off


def is_on(values: Mapping[str, object]) -> bool:
    return values.get("enabled") == YES


def note_switch(operation: Operation, remote: RemoteDataSource | RemoteWebhook | None, _at: datetime) -> None:
    if remote:
        operation.natural_key = remote.remote_id[:120]
        operation.result = {"enabled": remote.enabled}


def contradicts_switch(operation: Operation, remote: RemoteDataSource | RemoteWebhook) -> str:
    return "" if remote.enabled == is_on(operation.parameters) else NOT_TAKEN


def _note_customer(operation: Operation, known: RemoteEndUser | None, _at: datetime) -> None:
    if known:
        operation.natural_key = known.remote_id[:120]
        operation.result = {"status": known.status}


def _find_customer(operation: Operation, now: datetime) -> Finding[RemoteEndUser]:
    try:
        known = provider_of(operation).read_end_user(operation.customer_id)
    except NotFound:
        return not_done(operation, now)
    return Finding(State.CONFIRMED_DONE, "found", known)


NEW_CUSTOMER = Change(
    kind=OperationKind.CREATE_END_USER,
    capability=Capability.END_USERS,
    right=Right.CREATE_LINK,
    response=RemoteEndUser,
    call=lambda provider, operation, _values: provider.create_end_user(operation.customer_id, operation.customer_name),
    apply=_note_customer,
    prove=_find_customer,
    done=Explanation("ok", _("Customer added to the provider"), _("You can create links for them now.")),
)


def _named_otherwise(operation: Operation, known: RemoteEndUser) -> str:
    return "" if known.name == operation.parameters["name"] else NOT_TAKEN


def _find_name(operation: Operation, now: datetime) -> Finding[RemoteEndUser]:
    known = provider_of(operation).read_end_user(operation.customer_id)
    if _named_otherwise(operation, known):
        return not_done(operation, now)
    return Finding(State.CONFIRMED_DONE, "shows_it", known)


CUSTOMER_NAME = Change(
    kind=OperationKind.RENAME_END_USER,
    capability=Capability.END_USERS,
    right=Right.CHANGE_LINK,
    response=RemoteEndUser,
    call=lambda provider, operation, values: provider.rename_end_user(operation.customer_id, _text(values, "name")),
    contradicts=_named_otherwise,
    apply=_note_customer,
    prove=_find_name,
    done=Explanation("ok", _("Customer name changed"), _("The provider's record shows the new name.")),
    is_of_customer=True,
    page=ChangePage(
        slug="customer-name",
        icon="user",
        title=_("Change customer name"),
        lead=_(
            "The provider shows this name for the customer and all their links. The name in Linkadmin doesn't change."
        ),
        fields=lambda _link: (CredentialField("name", str(_("Customer name")), max_length=128),),
        form=FilledForm,
        initial=lambda link: {"name": link.end_user.name},
    ),
)


def _find_source(operation: Operation, now: datetime) -> Finding[RemoteDataSource]:
    sources = provider_of(operation).list_data_sources(operation.customer_id)
    source = next((each for each in sources if each.remote_id == operation.natural_key), None)
    if source is None:
        return NOTHING
    if source.enabled == is_on(operation.parameters):
        return Finding(State.CONFIRMED_DONE, "shows_it", source)
    return not_done(operation, now)


def _source_done(operation: Operation) -> Explanation:
    if is_on(operation.parameters):
        meaning = _("Its transactions count toward the customer's totals again.")
        return Explanation("ok", _("Data source included"), meaning)
    meaning = _("Its transactions no longer count toward the customer's totals. Nothing is deleted.")
    return Explanation("ok", _("Data source excluded"), meaning)


DATA_SOURCE = Change(
    kind=OperationKind.SWITCH_DATA_SOURCE,
    capability=Capability.DATA_SOURCES,
    right=Right.CHANGE_LINK,
    response=RemoteDataSource,
    call=lambda provider, operation, values: provider.switch_data_source(operation.natural_key, enabled=is_on(values)),
    contradicts=contradicts_switch,
    apply=note_switch,
    prove=_find_source,
    done=_source_done,
)


def _find_new_webhook(operation: Operation, now: datetime) -> Finding[RemoteWebhook]:
    asked = operation.parameters.get("topic"), operation.parameters.get("url")
    listed = [each for each in provider_of(operation).list_webhooks() if (each.topic, each.url) == asked]
    if not listed:
        return not_done(operation, now)
    # Subscriptions have no creation date: a paused or duplicate one may be older.
    return Finding(State.CONFIRMED_DONE, "found", listed[0]) if len(listed) == 1 and listed[0].enabled else NOTHING


def _find_switched_webhook(operation: Operation, now: datetime) -> Finding[RemoteWebhook]:
    webhook = _listed_webhook(operation)
    if webhook and webhook.enabled == is_on(operation.parameters):
        return Finding(State.CONFIRMED_DONE, "shows_it", webhook)
    return not_done(operation, now)


def _find_no_webhook(operation: Operation, now: datetime) -> Finding[None]:
    return not_done(operation, now) if _listed_webhook(operation) else Finding(State.CONFIRMED_DONE, "gone")


def _listed_webhook(operation: Operation) -> RemoteWebhook | None:
    listed = provider_of(operation).list_webhooks()
    return next((each for each in listed if each.remote_id == operation.natural_key), None)


def _switch_webhook(provider: Provider, operation: Operation, values: Values) -> RemoteWebhook:
    enabled = is_on(values)
    before = RemoteWebhook(operation.natural_key, _text(values, "topic"), _text(values, "url"), enabled=not enabled)
    return provider.switch_webhook(before, enabled=enabled)


def _text(values: Values, name: str) -> str:
    return str(values.get(name, ""))


def _switched(operation: Operation) -> Explanation:
    if is_on(operation.parameters):
        return Explanation("ok", _("Subscription resumed"), _("The provider will send webhooks for this topic again."))
    meaning = _(
        "While the subscription is paused, the provider doesn't send webhooks for this topic. It won't send "
        "them later, either."
    )
    return Explanation("ok", _("Subscription paused"), meaning)


ROWS = (
    NEW_CUSTOMER,
    CUSTOMER_NAME,
    DATA_SOURCE,
    Change(
        kind=OperationKind.ADD_WEBHOOK,
        capability=Capability.WEBHOOKS,
        right=Right.MANAGE_INTEGRATIONS,
        response=RemoteWebhook,
        call=lambda provider, _operation, values: provider.add_webhook(_text(values, "topic"), _text(values, "url")),
        apply=note_switch,
        prove=_find_new_webhook,
        done=Explanation("ok", _("Subscribed"), _("The provider now sends webhooks for this topic.")),
    ),
    Change(
        kind=OperationKind.SWITCH_WEBHOOK,
        capability=Capability.WEBHOOKS,
        right=Right.MANAGE_INTEGRATIONS,
        response=RemoteWebhook,
        call=_switch_webhook,
        contradicts=contradicts_switch,
        apply=note_switch,
        prove=_find_switched_webhook,
        done=_switched,
    ),
    Change(
        kind=OperationKind.REMOVE_WEBHOOK,
        capability=Capability.WEBHOOKS,
        right=Right.MANAGE_INTEGRATIONS,
        response=type(None),
        call=lambda provider, operation, _values: provider.remove_webhook(operation.natural_key),
        prove=_find_no_webhook,
        done=Explanation("ok", _("Unsubscribed"), _("The provider no longer sends webhooks for this topic.")),
    ),
)
