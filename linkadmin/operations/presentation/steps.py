"""The progress bar of a repair or a new link: steps done, and the current one."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations.models import FAILED_STATES, Operation, State
from linkadmin.providers.types import Capability, HealthState

FORM, CODE, PROOF, WORKS = range(4)
SHOWN_WHEN_DONE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ShownStep:
    label: str | Promise
    is_done: bool = False
    is_current: bool = False
    is_failed: bool = False


def steps_at(
    current: int, integration: Integration, *, is_new: bool, failed: bool = False, code_asked: bool = False
) -> list[ShownStep]:
    """Steps of a repair or a new link with `current` marked; past the last one, all are done."""
    labels: dict[int, str | Promise] = {
        FORM: _("New link") if is_new else _("Credentials"),
        CODE: _("Enter code, if needed") if current < CODE else _("Enter code"),
        PROOF: _("Setting up") if is_new else _("Verifying repair"),
        WORKS: _("Working"),
    }
    never_asked = not integration.can(Capability.UPDATE_CREDENTIALS) or (current > CODE and not code_asked)
    if never_asked:
        del labels[CODE]
    return [ShownStep(label, at < current, at == current, failed and at == current) for at, label in labels.items()]


def steps_of(operation: Operation) -> list[ShownStep]:
    if not operation.logs_in:
        return []
    at = CODE if operation.state == State.NEEDS_CODE or operation.gives_code else FORM
    current = PROOF if operation.is_done else at
    failed = operation.state in FAILED_STATES
    return _steps_of(operation, current, failed=failed)


def steps_of_link(link: Link, last: Operation | None) -> list[ShownStep]:
    if last is None or not last.logs_in:
        return []
    if last.is_open or (last.is_done and (link.is_verifying or link.health == HealthState.SETTING_UP.value)):
        return steps_of(last)
    works = last.is_done and link.health == HealthState.HEALTHY.value
    if works and last.finished_at and timezone.now() - last.finished_at < SHOWN_WHEN_DONE:
        return _steps_of(last, WORKS + 1)
    return []


def _steps_of(operation: Operation, current: int, *, failed: bool = False) -> list[ShownStep]:
    is_new, code_asked = operation.creates_link, operation.gives_code
    return steps_at(current, operation.integration, is_new=is_new, failed=failed, code_asked=code_asked)
