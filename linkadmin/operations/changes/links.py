"""Changes of one link: refresh data, settings, access token, and reports."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from linkadmin.accounts.roles import Right
from linkadmin.links import health
from linkadmin.links.causes import Group
from linkadmin.links.models import Link
from linkadmin.operations import refusals
from linkadmin.operations.forms.provider import FilledForm
from linkadmin.operations.link_updates import works
from linkadmin.operations.models import NOT_TAKEN, Operation, OperationKind, State
from linkadmin.providers.records import Accepted, ReportsRefreshed
from linkadmin.providers.types import Capability, Choice, CredentialField, FieldKind, HealthState, RemoteLink, Values

from .row import NOTHING, Change, ChangePage, Explanation, Finding, has_new_data, has_proof_time_passed, link_of, read

LINKS_READ = 5  # per customer, when looking for new data
FAILED_SHOWN = 200


def observe_link(operation: Operation, remote: RemoteLink | None, at: datetime) -> None:
    # The response involved no sign-in at the bank, so it proves no more than a status check.
    if operation.link and remote:
        health.observe_remote(operation.link, remote, source=health.Source.LIST, at=at, operation_id=operation.pk)


# --- Refresh data ---


def _fetched(operation: Operation, accepted: Accepted | None, at: datetime) -> None:
    observe_link(operation, accepted.link if accepted else None, at)


def _would_repeat_rejected_sign_in(link: Link) -> bool:
    is_refused = link.verdict.state in Group.CUSTOMER.states and not link.is_verifying
    return link.integration.provider_class.signs_in_at_bank and is_refused


def _require_login(operation: Operation, _values: Values) -> None:
    if _would_repeat_rejected_sign_in(link_of(operation)):
        raise refusals.SignInRejectedBefore


def _why_no_fetch(link: Link) -> str | Promise:
    if not _would_repeat_rejected_sign_in(link):
        return ""
    return _("Another sign-in attempt could lock the customer's account.")


def _find_new_data(operation: Operation, _now: datetime) -> Finding[Accepted]:
    # No new data may only mean that it takes longer.
    remote = read(link_of(operation))
    if remote and has_new_data(operation, remote):
        return Finding(State.CONFIRMED_DONE, "good_data_since")
    return NOTHING


REFRESH_DATA = Change(
    kind=OperationKind.REFRESH_DATA,
    capability=Capability.REFRESH_DATA,
    right=Right.REFRESH,
    response=Accepted,
    call=lambda provider, operation, values: provider.refresh_data(operation.ref, values),
    check=_require_login,
    apply=_fetched,
    prove=_find_new_data,
    done=Explanation(
        "ok",
        _("Data refresh requested"),
        _("The provider will contact the bank as soon as it can. New data will appear on the link's page."),
        _("Check again in a few minutes. If the bank wants a code or a new sign-in, the link's page will show it."),
    ),
    shows_in_links=True,
    page=ChangePage(
        slug="fetch",
        icon="download",
        title=_("Refresh data"),
        lead=_("The provider will contact the bank now, using the stored credentials."),
        fields=lambda link: link.integration.provider_class.fetch_fields(link.institution),
        notes=(
            _("To see what the provider already knows, use “Check status” instead."),
            _("Providers limit how often you can do this. If it's too soon, we'll tell you when you can try again."),
        ),
        why_not=_why_no_fetch,
        is_beside=False,
    ),
)


# --- Change settings ---


def _differing(operation: Operation, values: Values) -> Values:
    link = link_of(operation)
    sent = {name: value for name, value in values.items() if _comparable(value) != _comparable(getattr(link, name, ""))}
    operation.result = {"sent": sorted(sent)}
    return sent


def _require_difference(_operation: Operation, sent: Values) -> None:
    if not sent:
        raise refusals.NothingToChange


def _shown_settings(remote: RemoteLink, asked: Mapping[str, object]) -> dict[str, bool]:
    """Whether each setting has the requested value; settings that the record leaves out are missing."""
    shown = {name: getattr(remote, name, "") for name in asked}
    return {name: _comparable(value) == _comparable(asked[name]) for name, value in shown.items() if value}


def _comparable(value: object) -> object:
    # The order of a list means nothing.
    return frozenset(value) if isinstance(value, list | tuple) else value


def _settings_contradict(operation: Operation, remote: RemoteLink) -> str:
    return "" if all(_shown_settings(remote, operation.origin.parameters).values()) else NOT_TAKEN


def _find_settings(operation: Operation, now: datetime) -> Finding[RemoteLink]:
    remote, origin = read(link_of(operation)), operation.origin
    sent = {name: origin.parameters.get(name) for name in origin.result.get("sent", [])}
    shown = _shown_settings(remote, sent) if remote else {}
    if sent and shown.keys() == sent.keys() and all(shown.values()):
        return Finding(State.CONFIRMED_DONE, "shows_it")
    if not all(shown.values()) and has_proof_time_passed(operation, now):
        return Finding(State.CONFIRMED_NOT_DONE, "shows_it_not")
    return NOTHING


def _settings_fields(link: Link) -> tuple[CredentialField, ...]:
    # A current value stays a choice even if it's no longer offered.
    fields = link.integration.provider_class.settings_fields(link.institution)
    return tuple(_with_present(field, getattr(link, field.name, "")) for field in fields)


def _with_present(field: CredentialField, present: str | list[str]) -> CredentialField:
    offered = {choice.value for choice in field.choices}
    values = present if isinstance(present, list) else [present] if present else []
    more = tuple(Choice(value, value) for value in values if value not in offered)
    is_choice = field.kind in (FieldKind.SELECT, FieldKind.MANY)
    return replace(field, choices=(*field.choices, *more)) if is_choice and more else field


def _present_settings(link: Link) -> dict[str, Any]:
    fields = link.integration.provider_class.settings_fields(link.institution)
    return {field.name: getattr(link, field.name) for field in fields if getattr(link, field.name, "")}


def _why_no_settings(link: Link) -> str | Promise:
    return "" if _settings_fields(link) else _("This bank's settings can't be changed at the provider.")


SETTINGS = Change(
    kind=OperationKind.CHANGE_SETTINGS,
    capability=Capability.CHANGE_SETTINGS,
    right=Right.CHANGE_LINK,
    response=RemoteLink,
    call=lambda provider, operation, values: provider.change_settings(operation.ref, values),
    sends=_differing,
    check=_require_difference,
    contradicts=_settings_contradict,
    apply=observe_link,
    prove=_find_settings,
    done=Explanation("ok", _("Settings changed"), _("The provider's record shows the new settings.")),
    page=ChangePage(
        slug="settings",
        icon="sliders-horizontal",
        title=_("Change settings"),
        lead=_("What the provider stores about this link, and how often it syncs. We only send what you change."),
        fields=_settings_fields,
        form=FilledForm,
        initial=_present_settings,
        why_not=_why_no_settings,
    ),
)


# --- Replace access token ---


def _find_working_token(operation: Operation, _now: datetime) -> Finding[RemoteLink]:
    # If the link worked before, its old token may still be the one in use.
    link = link_of(operation)
    remote = read(link)
    mended = link.changes.filter(at__gte=operation.began_at, new=HealthState.HEALTHY.value)
    if remote and works(remote.observation) and mended.exclude(old=HealthState.HEALTHY.value).exists():
        return Finding(State.CONFIRMED_DONE, "works_since")
    return NOTHING


ACCESS_TOKEN = Change(
    kind=OperationKind.REPLACE_TOKEN,
    capability=Capability.REPLACE_TOKEN,
    right=Right.CHANGE_LINK,
    response=RemoteLink,
    call=lambda provider, operation, values: provider.replace_token(operation.ref, values),
    apply=observe_link,
    prove=_find_working_token,
    done=Explanation(
        "ok",
        _("Access token replaced"),
        _("We're checking that the link works with it."),
    ),
    shows_in_links=True,
    page=ChangePage(
        slug="access-token",
        icon="key-round",
        title=_("Replace access token"),
        lead=_(
            "Use this only if the connection's token was exchanged for a new one. The link and its IDs stay the same."
        ),
        fields=lambda link: link.integration.provider_class.token_fields,
        notes=(
            _("When the customer repairs a link, its token stays the same, so you don't need this."),
            _("Sent to the provider once. Never stored here."),
        ),
    ),
)


# --- Regenerate reports ---


def _note_reports(operation: Operation, refreshed: ReportsRefreshed | None, _at: datetime) -> None:
    if refreshed:
        operation.result = {"processed": refreshed.processed, "failed": list(refreshed.failed[:FAILED_SHOWN])}


def _find_reports(operation: Operation, _now: datetime) -> Finding[ReportsRefreshed]:
    # For a whole integration, only reading every link could prove it.
    if operation.end_user is None:
        return NOTHING
    links = Link.objects.standing().select_related("integration", "end_user", "institution")
    links = links.filter(remote_kind__in=operation.integration.provider_class.report_kinds)
    for link in links.filter(integration=operation.integration_id, end_user=operation.end_user)[:LINKS_READ]:
        remote = read(link)
        good = remote.observation.last_good_at if remote else None
        if good and good >= operation.began_at:
            return Finding(State.CONFIRMED_DONE, "good_data_since")
    return NOTHING


def _reports_done(operation: Operation) -> Explanation:
    processed, failed = operation.result.get("processed", 0), len(operation.result.get("failed", []))
    made = ngettext(
        "The report for %(count)d link is being regenerated.",
        "The reports for %(count)d links are being regenerated.",
        processed,
    )
    meaning = made % {"count": processed}
    if not failed:
        return Explanation("ok", _("Regenerating reports"), meaning)
    lost = ngettext("%(count)d failed.", "%(count)d failed.", failed) % {"count": failed}
    advice = _("Open these links to see what's wrong.")
    return Explanation("warn", _("Some reports couldn't be regenerated"), f"{meaning} {lost}", advice)


REPORTS = Change(
    kind=OperationKind.REGENERATE_REPORTS,
    capability=Capability.REGENERATE_REPORTS,
    right=Right.CHANGE_LINK,
    response=ReportsRefreshed,
    call=lambda provider, operation, _values: provider.regenerate_reports(operation.customer_id),
    apply=_note_reports,
    prove=_find_reports,
    done=_reports_done,
    not_found=Explanation(
        "info",
        _("No reports to regenerate"),
        _("The provider has no reports for this customer in this integration. Nothing was changed."),
    ),
    is_of_customer=True,
    shows_in_links=True,
    page=ChangePage(
        slug="reports",
        icon="file-text",
        title=_("Regenerate reports"),
        lead=_("The provider will regenerate the reports for all of this customer's links in this integration."),
        fields=lambda _link: (),
        notes=(_("The provider charges for each report. Links that aren't working are skipped."),),
    ),
)

ROWS = (SETTINGS, REFRESH_DATA, ACCESS_TOKEN, REPORTS)
