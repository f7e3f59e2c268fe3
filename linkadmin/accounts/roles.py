"""The role matrix as data: which role has which right, and which right opens which page.

Code and tests both read this file. What isn't listed is denied. Only the pages of changes are elsewhere: a change's row
in `linkadmin/operations/changes/` names its right.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum, auto
from itertools import combinations
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    SUPPORT = "support", _("Support")
    MANAGER = "manager", _("Account manager")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


def joined(roles: Iterable[str]) -> str:
    return ",".join(sorted(set(roles)))


class Right(StrEnum):
    """What a role may do, with the words for it."""

    label: Promise

    def __new__(cls, value: str, label: Promise) -> "Right":
        right = str.__new__(cls, value)
        right._value_ = value
        right.label = label
        return right

    VIEW_OVERVIEW = auto(), _("View the overview, institutions, and activity")
    VIEW_LINKS = auto(), _("View links, with their history and operations")
    VIEW_END_USERS = auto(), _("View customers")
    VIEW_ALL_CUSTOMERS = auto(), _("View customers who have another account manager")
    SEE_NAMES = auto(), _("See customers' names")  # without it, they are masked
    SHOW_NAMES = auto(), _("Show a masked name once, for a reason that is recorded")
    CREATE_LINK = auto(), _("Create links")
    UPDATE_CREDENTIALS = auto(), _("Update credentials and enter codes")
    SEND_REPAIR_REQUEST = auto(), _("Ask customers to repair links, and revoke such requests")
    CHANGE_LINK = auto(), _("Change a link's settings or access token")
    REMOVE_LINK = auto(), _("Delete links")
    REFRESH = auto(), _("Check status, refresh data, and reprocess webhooks")
    ORGANIZE_LINKS = auto(), _("Set assignees, account managers, and contact details, and add notes")
    VIEW_DELIVERIES = auto(), _("View webhooks, without customers' names")
    VIEW_ALL_DELIVERIES = auto(), _("List and search all webhooks")
    READ_RECORDS = auto(), _("View provider records")
    DECIDE_OUTCOME = auto(), _("Resolve unknown outcomes manually, except of their own operations")
    ALLOW_ATTEMPT = auto(), _("Allow one more sign-in attempt, with a reason")
    WITHDRAW_CHALLENGE = auto(), _("Cancel a colleague's code step, with a reason")
    EXPORT = auto(), _("Export lists as files")
    VIEW_INTEGRATIONS = auto(), _("View integrations, without their secrets")
    TEST_CONNECTION = auto(), _("Test connections and refresh institution lists")
    MANAGE_INTEGRATIONS = auto(), _("Add and change integrations, their API keys, and webhooks")
    ENTER_ADMIN = auto(), _("Open Django admin, which is read-only")
    VIEW_AUDIT = auto(), _("Read the audit log")
    SEE_AUDIT_ALERTS = auto(), _("See warnings about the audit log")
    VIEW_SYSTEM_STATUS = auto(), _("View system status")
    VIEW_LIMITS = auto(), _("View how much of their limits people have used")
    LIFT_LIMIT = auto(), _("Lift a colleague's limit for an hour, with a reason")
    VIEW_STAFF = auto(), _("View staff and roles")
    MANAGE_STAFF = auto(), _("Invite colleagues and change their accounts, but not their own role")


MATRIX: Mapping[str, frozenset[Right]] = {
    Role.SUPPORT: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_ALL_DELIVERIES,
            Right.VIEW_LINKS,
            Right.VIEW_END_USERS,
            Right.VIEW_ALL_CUSTOMERS,
            Right.SEE_NAMES,
            Right.CREATE_LINK,
            Right.UPDATE_CREDENTIALS,
            Right.SEND_REPAIR_REQUEST,
            Right.CHANGE_LINK,
            Right.REMOVE_LINK,
            Right.REFRESH,
            Right.ORGANIZE_LINKS,
            Right.READ_RECORDS,
        }
    ),
    Role.MANAGER: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_ALL_DELIVERIES,
            Right.VIEW_LINKS,
            Right.VIEW_END_USERS,
            Right.VIEW_ALL_CUSTOMERS,
            Right.SEE_NAMES,
            Right.SEND_REPAIR_REQUEST,
            Right.REMOVE_LINK,
            Right.REFRESH,
            Right.ORGANIZE_LINKS,
            Right.READ_RECORDS,
            Right.DECIDE_OUTCOME,
            Right.ALLOW_ATTEMPT,
            Right.WITHDRAW_CHALLENGE,
            Right.EXPORT,
            Right.VIEW_INTEGRATIONS,
            Right.TEST_CONNECTION,
            Right.VIEW_LIMITS,
            Right.LIFT_LIMIT,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_ALL_DELIVERIES,
            Right.VIEW_LINKS,
            Right.VIEW_END_USERS,
            Right.VIEW_ALL_CUSTOMERS,
            Right.SHOW_NAMES,
            Right.EXPORT,
            Right.VIEW_INTEGRATIONS,
            Right.ENTER_ADMIN,
            Right.VIEW_AUDIT,
            Right.SEE_AUDIT_ALERTS,
            Right.VIEW_LIMITS,
            Right.VIEW_STAFF,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_ALL_DELIVERIES,
            Right.VIEW_INTEGRATIONS,
            Right.TEST_CONNECTION,
            Right.MANAGE_INTEGRATIONS,
            Right.ENTER_ADMIN,
            Right.SEE_AUDIT_ALERTS,
            Right.VIEW_LIMITS,
            Right.VIEW_STAFF,
            Right.MANAGE_STAFF,
            Right.VIEW_SYSTEM_STATUS,
        }
    ),
}


OF_ALL_CUSTOMERS = {Right.VIEW_ALL_CUSTOMERS, Right.VIEW_ALL_DELIVERIES}
MATRIX_OF_PORTFOLIOS = {**MATRIX, Role.MANAGER: MATRIX[Role.MANAGER] - OF_ALL_CUSTOMERS}


def _of_several(matrix: Mapping[str, frozenset[Right]]) -> dict[str, frozenset[Right]]:
    """What one person may have, as stored, and do: auditors check the others, so they have no other role."""
    others = (Role.SUPPORT, Role.MANAGER, Role.ADMINISTRATOR)
    return {
        joined(roles): frozenset[Right]().union(*(matrix[role] for role in roles))
        for roles in ((Role.AUDITOR,), *(chosen for count in (1, 2, 3) for chosen in combinations(others, count)))
    }


RIGHTS, RIGHTS_OF_PORTFOLIOS = _of_several(MATRIX), _of_several(MATRIX_OF_PORTFOLIOS)
ROLE_CHOICES = [
    (stored, format_lazy(", ".join(["{}"] * len(roles)), *(Role(role).label for role in roles)))
    for stored, roles in ((stored, stored.split(",")) for stored in RIGHTS)
]


class Access(Enum):
    PUBLIC = auto()
    SIGNED_IN = auto()
    WITHOUT_FACTOR = auto()  # signed in, even if a required second factor is still missing
    OWN_FACTORS = auto()  # the same, but only after confirming it's them


Rule = Right | Access

# Before these, people confirm it's them, unless they did or signed in recently. BRIEFLY: within minutes, not an hour.
BRIEFLY = frozenset({Access.OWN_FACTORS, Right.MANAGE_INTEGRATIONS, Right.MANAGE_STAFF, Right.LIFT_LIMIT, Right.EXPORT})
CONFIRMED_ACTS = BRIEFLY | {Right.CREATE_LINK, Right.UPDATE_CREDENTIALS, Right.CHANGE_LINK, Right.REMOVE_LINK}
# Pages that others only read. They ask those who may submit the form on it.
WITH_FORM = frozenset({"link-code", "staff-detail"})

URL_RIGHTS: Mapping[str, Rule | Mapping[str, Rule]] = {
    "livez": Access.PUBLIC,
    "readyz": Access.PUBLIC,
    "healthz": Access.PUBLIC,
    "statusz": Access.PUBLIC,
    "system-status": Right.VIEW_SYSTEM_STATUS,
    "account_login": Access.PUBLIC,
    "sign-in-factor": Access.PUBLIC,
    "sign-in-passkey": Access.PUBLIC,
    "sign-in-passkey-options": Access.PUBLIC,
    "single-sign-on": Access.PUBLIC,
    "single-sign-on-callback": Access.PUBLIC,
    "recover-access": Access.PUBLIC,
    "account_logout": Access.WITHOUT_FACTOR,
    "account_change_password": Access.SIGNED_IN,
    "confirm": Access.WITHOUT_FACTOR,
    "confirm-passkey-options": Access.WITHOUT_FACTOR,
    "own-security": Access.SIGNED_IN,
    "factor-new": Access.OWN_FACTORS,
    "factor-app": Access.OWN_FACTORS,
    "factor-passkey": Access.OWN_FACTORS,
    "factor-passkey-options": Access.OWN_FACTORS,
    "factor-remove": Access.OWN_FACTORS,
    "recovery-codes": Access.OWN_FACTORS,
    "own-environment": Access.SIGNED_IN,
    "own-sessions-end": Access.SIGNED_IN,
    "join": Access.PUBLIC,
    "staff-list": Right.VIEW_STAFF,
    "staff-roles": Right.VIEW_STAFF,
    "staff-approvals": Right.VIEW_STAFF,
    "staff-approval": Right.MANAGE_STAFF,
    "staff-new": Right.MANAGE_STAFF,
    "staff-detail": {"GET": Right.VIEW_STAFF, "POST": Right.MANAGE_STAFF},
    "staff-invite": Right.MANAGE_STAFF,
    "staff-invite-mail": Right.MANAGE_STAFF,
    "staff-identity": Right.MANAGE_STAFF,
    "staff-end-sessions": Right.MANAGE_STAFF,
    "staff-reset-factors": Right.MANAGE_STAFF,
    "staff-limits": Right.VIEW_LIMITS,
    "staff-limits-live": Right.VIEW_LIMITS,
    "staff-limit-lift": Right.LIFT_LIMIT,
    "csp-reports": Access.PUBLIC,
    "repair-visit": Access.PUBLIC,  # the customer's: see linkadmin/repair
    "repair-done": Access.PUBLIC,
    "repair-left": Access.PUBLIC,
    "repair-back": Access.PUBLIC,
    "repair-logo": Access.PUBLIC,
    "repair-request": Access.PUBLIC,
    "link-repair-request": Right.SEND_REPAIR_REQUEST,
    "link-repair-request-revoke": Right.SEND_REPAIR_REQUEST,
    "live": Access.SIGNED_IN,
    "find": Access.SIGNED_IN,  # each result needs the right to its own page
    "overview": Right.VIEW_OVERVIEW,
    "link-list": Right.VIEW_LINKS,
    "link-list-live": Right.VIEW_LINKS,
    "link-institutions": Right.VIEW_LINKS,
    "link-detail": Right.VIEW_LINKS,
    "link-new": Right.CREATE_LINK,
    "delivery-list": Right.VIEW_ALL_DELIVERIES,
    "delivery-detail": Right.VIEW_DELIVERIES,
    "delivery-reprocess": Right.REFRESH,
    "delivery-reprocess-all": Right.REFRESH,
    "integration-endpoint": Right.VIEW_INTEGRATIONS,
    "integration-endpoint-url": Right.MANAGE_INTEGRATIONS,
    "integration-endpoint-secret-add": Right.MANAGE_INTEGRATIONS,
    "integration-endpoint-secret-make": Right.MANAGE_INTEGRATIONS,
    "integration-endpoint-secret-revoke": Right.MANAGE_INTEGRATIONS,
    "institution-search": Right.CREATE_LINK,
    # Colleagues see the same step. Only those who may enter a code can submit it.
    "link-code": {"GET": Right.VIEW_LINKS, "POST": Right.UPDATE_CREDENTIALS},
    "link-code-picture": Right.UPDATE_CREDENTIALS,
    "link-live": Right.VIEW_LINKS,
    "link-history": Right.VIEW_LINKS,
    "link-notes": Right.ORGANIZE_LINKS,
    "link-assignee": Right.ORGANIZE_LINKS,
    "link-refresh": Right.REFRESH,
    "link-attempt": Right.ALLOW_ATTEMPT,
    "operation-attempt": Right.ALLOW_ATTEMPT,
    "end-user-list": Right.VIEW_END_USERS,
    "end-user-list-live": Right.VIEW_END_USERS,
    "end-user-detail": Right.VIEW_END_USERS,
    "end-user-contact": Right.ORGANIZE_LINKS,
    "end-user-name": Right.SHOW_NAMES,
    "end-user-account-manager": Right.ORGANIZE_LINKS,
    "integration-list": Right.VIEW_INTEGRATIONS,
    "integration-detail": Right.VIEW_INTEGRATIONS,
    "integration-new": Right.MANAGE_INTEGRATIONS,
    "integration-edit": Right.MANAGE_INTEGRATIONS,
    "integration-test": Right.TEST_CONNECTION,
    # Provider records, and what is set up at the provider.
    "integration-records": Right.READ_RECORDS,
    "end-user-records": Right.READ_RECORDS,
    "link-records": Right.READ_RECORDS,
    "end-user-tell": Right.CREATE_LINK,
    "data-source-switch": Right.CHANGE_LINK,
    "integration-connectors": Right.TEST_CONNECTION,
    "integration-webhooks": Right.TEST_CONNECTION,
    "integration-webhook-add": Right.MANAGE_INTEGRATIONS,
    "integration-webhook-switch": Right.MANAGE_INTEGRATIONS,
    "integration-webhook-remove": Right.MANAGE_INTEGRATIONS,
    "integration-reports": Right.MANAGE_INTEGRATIONS,
    # Starting or stopping one changes nothing at the provider but uses its rate limit.
    "integration-full-checks": {"GET": Right.VIEW_INTEGRATIONS, "POST": Right.MANAGE_INTEGRATIONS},
    "full-check-live": Right.VIEW_INTEGRATIONS,
    "full-check-detail": {"GET": Right.VIEW_INTEGRATIONS, "POST": Right.MANAGE_INTEGRATIONS},
    "institution-list": Right.VIEW_OVERVIEW,
    "institution-detail": Right.VIEW_OVERVIEW,
    "institution-read": Right.READ_RECORDS,
    "institution-lookup": Right.READ_RECORDS,
    "institutions-read": Right.TEST_CONNECTION,
    "unrecognized-values": Right.VIEW_OVERVIEW,
    "operation-list": Right.VIEW_OVERVIEW,  # of it, what the reader may see
    "operation-detail": Right.VIEW_LINKS,
    "operation-live": Right.VIEW_LINKS,
    # Concerns a whole integration and no customer.
    "integration-operation": Right.VIEW_INTEGRATIONS,
    "integration-operation-live": Right.VIEW_INTEGRATIONS,
    "link-code-withdraw": Right.UPDATE_CREDENTIALS,
    "link-code-cancel": Right.WITHDRAW_CHALLENGE,
    "operation-decide": Right.DECIDE_OUTCOME,
    "operation-check": Right.REFRESH,
    # Bulk actions: reviewed by those who may do it to one link, seen by everyone who sees links.
    "bulk-count": Right.VIEW_LINKS,
    "bulk-list": Right.VIEW_LINKS,
    "bulk-refresh": Right.REFRESH,
    "bulk-assign": Right.ORGANIZE_LINKS,
    "bulk-note": Right.ORGANIZE_LINKS,
    "bulk-live": Right.VIEW_LINKS,
    "bulk-detail": Right.VIEW_LINKS,  # changing the job takes the right to what it does
    # Exports: only those who see the list have this right.
    "link-list-export": Right.EXPORT,
    "link-history-export": Right.EXPORT,
    "end-user-list-export": Right.EXPORT,
    "institution-list-export": Right.EXPORT,
    "delivery-list-export": Right.EXPORT,
    "integration-full-checks-export": Right.EXPORT,
    "operation-list-export": Right.EXPORT,
    "bulk-list-export": Right.EXPORT,
    "bulk-detail-export": Right.EXPORT,
    "unrecognized-values-export": Right.EXPORT,
}

# Django's permission names, as the admin checks them. Roles without a row see nothing there.
ADMIN_RIGHTS: Mapping[str, Right] = {
    "accounts.view_user": Right.VIEW_STAFF,
    "audit.view_auditevent": Right.VIEW_AUDIT,
    "links.view_enduser": Right.VIEW_ALL_CUSTOMERS,
    "links.view_healthchange": Right.VIEW_ALL_CUSTOMERS,
    "links.view_institution": Right.VIEW_INTEGRATIONS,
    "integrations.view_integration": Right.VIEW_INTEGRATIONS,
    "links.view_link": Right.VIEW_ALL_CUSTOMERS,
    "bulk.view_bulkjob": Right.VIEW_ALL_CUSTOMERS,
    "bulk.view_bulkitem": Right.VIEW_ALL_CUSTOMERS,
    "webhooks.view_webhookdelivery": Right.VIEW_ALL_DELIVERIES,
    "webhooks.view_webhooksecret": Right.VIEW_INTEGRATIONS,
    "operations.view_operation": Right.VIEW_ALL_CUSTOMERS,
    "operations.view_attemptallowance": Right.VIEW_ALL_CUSTOMERS,
}


def rights_of(user: object) -> frozenset[Right]:
    if not getattr(user, "is_active", False):
        return frozenset()
    every = RIGHTS_OF_PORTFOLIOS if settings.MANAGERS_SEE == "own" else RIGHTS
    return every.get(getattr(user, "roles", ""), frozenset())


def with_right(right: Right) -> list[str]:
    return [stored for stored, rights in RIGHTS.items() if right in rights]


def may(user: object, right: Right) -> bool:
    return right in rights_of(user)


def rule_for(view_name: str, method: str, change: Any = None) -> Rule | None:
    """None denies the page. For the page of a change, the change's row decides."""
    if view_name.startswith("admin:"):
        return Right.ENTER_ADMIN
    rule: Rule | Mapping[str, Rule] | None = URL_RIGHTS.get(view_name) if change is None else change.right
    if isinstance(rule, Mapping):
        return rule.get("GET" if method == "HEAD" else method)
    return rule
