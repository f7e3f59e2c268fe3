"""Next steps for a link: the table behind the buttons. Nothing here queries the database.

The remedy of a link is matched with its kind, what its provider can do, and the rights of the reader.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.roles import Right
from linkadmin.links.causes import Remedy
from linkadmin.operations.changes import Change
from linkadmin.operations.changes.links import ACCESS_TOKEN, REFRESH_DATA, REPORTS
from linkadmin.operations.changes.sign_ins import CREATE_LINK, UPDATE_CREDENTIALS


class Step(StrEnum):
    """Something a reader can do about a link."""

    UPDATE_CREDENTIALS = "update_credentials"
    SEND_REPAIR_REQUEST = "send_repair_request"
    REFRESH_DATA = "refresh_data"
    REPLACE_TOKEN = "replace_token"  # noqa: S105 - a word
    REGENERATE_REPORTS = "regenerate_reports"
    CONNECT_AGAIN = "connect_again"
    OPEN_INTEGRATION = "open_integration"
    TELL_PROVIDER = "tell_provider"
    TELL_ADMIN = "tell_admin"
    TELL_DEVELOPERS = "tell_developers"


# By preference: the first one that the link supports and the reader may do is the main step.
STEPS: Mapping[Remedy, tuple[Step, ...]] = MappingProxyType(
    {
        Remedy.NONE: (),
        Remedy.SIGN_IN: (Step.UPDATE_CREDENTIALS, Step.SEND_REPAIR_REQUEST),
        Remedy.CONSENT: (Step.SEND_REPAIR_REQUEST,),
        Remedy.AFTER_BANK: (Step.UPDATE_CREDENTIALS, Step.SEND_REPAIR_REQUEST),
        Remedy.FETCH: (Step.REFRESH_DATA, Step.TELL_PROVIDER),
        Remedy.TOKEN: (Step.REPLACE_TOKEN, Step.CONNECT_AGAIN),
        Remedy.REPORTS: (Step.REGENERATE_REPORTS,),
        Remedy.RECONNECT: (Step.CONNECT_AGAIN,),
        Remedy.TELL_PROVIDER: (Step.TELL_PROVIDER,),
        Remedy.TELL_ADMIN: (Step.OPEN_INTEGRATION, Step.TELL_ADMIN),
        Remedy.TELL_DEVELOPERS: (Step.TELL_DEVELOPERS,),
    }
)


@dataclass(frozen=True, slots=True)
class StepInfo:
    """A step's button, the right it needs, and the change or the page behind it."""

    label: str | Promise
    icon: str
    right: Right
    change: Change[Any] | None = None
    page: str = ""  # the name of its URL, which has the link's ID


def _by(change: Change[Any], label: str | Promise, icon: str) -> StepInfo:
    return StepInfo(label, icon, change.right, change)


FACTS: Mapping[Step, StepInfo] = MappingProxyType(
    {
        Step.UPDATE_CREDENTIALS: _by(UPDATE_CREDENTIALS, _("Update credentials"), "key-round"),
        Step.SEND_REPAIR_REQUEST: StepInfo(
            _("Send repair request"), "send", Right.SEND_REPAIR_REQUEST, page="link-repair-request"
        ),
        Step.REFRESH_DATA: _by(REFRESH_DATA, _("Refresh data"), "download"),
        Step.REPLACE_TOKEN: _by(ACCESS_TOKEN, _("Replace access token"), "key-round"),
        Step.REGENERATE_REPORTS: _by(REPORTS, _("Regenerate reports"), "file-text"),
        Step.CONNECT_AGAIN: _by(CREATE_LINK, _("Reconnect"), "plus"),
        Step.OPEN_INTEGRATION: StepInfo(_("Open integration"), "plug", Right.TEST_CONNECTION),
        Step.TELL_PROVIDER: StepInfo(_("Copy report for provider support"), "copy", Right.ORGANIZE_LINKS),
        Step.TELL_ADMIN: StepInfo(_("Copy report for an administrator"), "copy", Right.ORGANIZE_LINKS),
        Step.TELL_DEVELOPERS: StepInfo(_("Copy report for the developers"), "copy", Right.ORGANIZE_LINKS),
    }
)
NO_REQUEST = frozenset(step for step, facts in FACTS.items() if facts.change is None and not facts.page)


@dataclass(frozen=True, slots=True)
class StepChoice:
    """A step, and why it isn't available."""

    step: Step
    why: str = ""
    after_bank: bool = False  # only once the customer has acted at the bank


@dataclass(frozen=True, slots=True)
class NextSteps:
    """The main step and a second one, or what somebody else may do."""

    main: StepChoice | None = None
    second: StepChoice | None = None
    for_support: Step | None = None  # what the reader may not do but support may


def next_steps(
    remedy: Remedy,
    *,
    known: Collection[Step],
    rights: frozenset[Right],
    why_not: Mapping[Step, str] = MappingProxyType({}),
) -> NextSteps:
    """`known` are the steps this kind of link supports; `why_not` says which are unavailable."""
    if Right.VIEW_LINKS not in rights:
        return NextSteps()
    fitting = [step for step in STEPS[remedy] if step in known or step in NO_REQUEST]
    allowed = [step for step in fitting if FACTS[step].right in rights]
    if not allowed:
        helps = fitting and remedy is not Remedy.AFTER_BANK and Right.ORGANIZE_LINKS in rights
        return NextSteps(for_support=fitting[0] if helps else None)
    if remedy is Remedy.AFTER_BANK:
        # Not offered as a retry: the customer has to contact the bank first.
        return NextSteps(second=StepChoice(allowed[0], why_not.get(allowed[0], ""), after_bank=True))
    choices = [StepChoice(step, why_not.get(step, "")) for step in _two_of(allowed)]
    choices.sort(key=lambda choice: bool(choice.why))  # available steps first
    return NextSteps(main=choices[0], second=choices[1] if len(choices) > 1 else None)


def _two_of(steps: list[Step]) -> Iterator[Step]:
    yield steps[0]
    if steps[0] is Step.UPDATE_CREDENTIALS and len(steps) > 1:
        yield steps[1]
