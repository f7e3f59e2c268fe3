"""The role matrix as data: which role has which right, and which right opens which page.

Code and tests both read this file. What is not in it is refused, but for the pages of changes: the row of a change in
`linkadmin/operations/changes/` names its right.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The one role of a member of staff."""

    SUPPORT = "support", _("Support")
    MANAGER = "manager", _("Account manager")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


class Right(StrEnum):
    """Something that a role may or may not do."""

    VIEW_OVERVIEW = auto()
    VIEW_LINKS = auto()
    VIEW_END_USERS = auto()
    SEE_NAMES = auto()  # without it, names of end users are masked
    CREATE_LINK = auto()
    UPDATE_CREDENTIALS = auto()  # and send a one-time code
    CHANGE_LINK = auto()  # its settings, its access token, a repair address for the customer
    REMOVE_LINK = auto()
    REFRESH = auto()  # and reconcile, and fetch new data
    ORGANISE_LINKS = auto()  # who looks after them, and notes about them
    VIEW_DELIVERIES = auto()  # what providers told us, without any name
    READ_RECORDS = auto()  # what a provider itself says of links and customers, without taking it over
    DECIDE_OUTCOME = auto()
    ALLOW_ATTEMPT = auto()
    WITHDRAW_CHALLENGE = auto()  # of somebody else, with a reason
    VIEW_INTEGRATIONS = auto()
    TEST_CONNECTION = auto()
    MANAGE_INTEGRATIONS = auto()
    ENTER_ADMIN = auto()
    VIEW_AUDIT = auto()
    SEE_AUDIT_ALERTS = auto()  # that the log failed its verification, without the log
    VIEW_SYSTEM_STATUS = auto()  # which program runs, and where
    VIEW_STAFF = auto()
    MANAGE_STAFF = auto()


MATRIX: Mapping[str, frozenset[Right]] = {
    Role.SUPPORT: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_LINKS,
            Right.VIEW_END_USERS,
            Right.SEE_NAMES,
            Right.CREATE_LINK,
            Right.UPDATE_CREDENTIALS,
            Right.CHANGE_LINK,
            Right.REMOVE_LINK,
            Right.REFRESH,
            Right.ORGANISE_LINKS,
            Right.READ_RECORDS,
        }
    ),
    Role.MANAGER: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_LINKS,
            Right.VIEW_END_USERS,
            Right.SEE_NAMES,
            Right.REMOVE_LINK,
            Right.REFRESH,
            Right.ORGANISE_LINKS,
            Right.READ_RECORDS,
            Right.DECIDE_OUTCOME,
            Right.ALLOW_ATTEMPT,
            Right.WITHDRAW_CHALLENGE,
            Right.VIEW_INTEGRATIONS,
            Right.TEST_CONNECTION,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_LINKS,
            Right.VIEW_END_USERS,
            Right.VIEW_INTEGRATIONS,
            Right.ENTER_ADMIN,
            Right.VIEW_AUDIT,
            Right.SEE_AUDIT_ALERTS,
            Right.VIEW_STAFF,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Right.VIEW_OVERVIEW,
            Right.VIEW_DELIVERIES,
            Right.VIEW_INTEGRATIONS,
            Right.TEST_CONNECTION,
            Right.MANAGE_INTEGRATIONS,
            Right.ENTER_ADMIN,
            Right.SEE_AUDIT_ALERTS,
            Right.VIEW_STAFF,
            Right.MANAGE_STAFF,
            Right.VIEW_SYSTEM_STATUS,
        }
    ),
}


class Access(Enum):
    """Pages that need no right."""

    PUBLIC = auto()
    SIGNED_IN = auto()


Rule = Right | Access

URL_RIGHTS: Mapping[str, Rule | Mapping[str, Rule]] = {
    "livez": Access.PUBLIC,
    "readyz": Access.PUBLIC,
    "healthz": Access.PUBLIC,
    "statusz": Access.PUBLIC,
    "system-status": Right.VIEW_SYSTEM_STATUS,
    "account_login": Access.PUBLIC,
    "account_logout": Access.SIGNED_IN,
    "account_change_password": Access.SIGNED_IN,
    "own-sessions": Access.SIGNED_IN,
    "own-sessions-end": Access.SIGNED_IN,
    "csp-reports": Access.PUBLIC,
    "live": Access.SIGNED_IN,
    "overview": Right.VIEW_OVERVIEW,
    "link-list": Right.VIEW_LINKS,
    "link-detail": Right.VIEW_LINKS,
    "link-new": Right.CREATE_LINK,
    "webhook-delivery": Access.PUBLIC,  # its messages prove themselves
    "delivery-list": Right.VIEW_DELIVERIES,
    "delivery-detail": Right.VIEW_DELIVERIES,
    "delivery-reprocess": Right.REFRESH,
    "delivery-reprocess-all": Right.REFRESH,
    "integration-endpoint": Right.VIEW_INTEGRATIONS,
    "integration-endpoint-url": Right.MANAGE_INTEGRATIONS,
    "integration-endpoint-secret-add": Right.MANAGE_INTEGRATIONS,
    "integration-endpoint-secret-make": Right.MANAGE_INTEGRATIONS,
    "integration-endpoint-secret-revoke": Right.MANAGE_INTEGRATIONS,
    "institution-search": Right.CREATE_LINK,
    # A colleague sees the same step, but only who may send a code can.
    "link-code": {"GET": Right.VIEW_LINKS, "POST": Right.UPDATE_CREDENTIALS},
    "link-live": Right.VIEW_LINKS,
    "link-history": Right.VIEW_LINKS,
    "link-notes": Right.ORGANISE_LINKS,
    "link-assignee": Right.ORGANISE_LINKS,
    "link-refresh": Right.REFRESH,
    "link-attempt": Right.ALLOW_ATTEMPT,
    "operation-attempt": Right.ALLOW_ATTEMPT,
    "end-user-list": Right.VIEW_END_USERS,
    "end-user-detail": Right.VIEW_END_USERS,
    "integration-list": Right.VIEW_INTEGRATIONS,
    "integration-detail": Right.VIEW_INTEGRATIONS,
    "integration-test": Right.TEST_CONNECTION,
    # What a provider says of links and customers, and what is set up there.
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
    # To begin one, and to stop it, changes nothing at the provider but uses its quota.
    "integration-full-checks": {"GET": Right.VIEW_INTEGRATIONS, "POST": Right.MANAGE_INTEGRATIONS},
    "full-check-live": Right.VIEW_INTEGRATIONS,
    "full-check-detail": {"GET": Right.VIEW_INTEGRATIONS, "POST": Right.MANAGE_INTEGRATIONS},
    "institution-list": Right.VIEW_OVERVIEW,
    "institution-detail": Right.VIEW_OVERVIEW,
    "institution-read": Right.READ_RECORDS,
    "institution-lookup": Right.READ_RECORDS,
    "institutions-read": Right.TEST_CONNECTION,
    "unrecognized-values": Right.VIEW_OVERVIEW,
    "operation-detail": Right.VIEW_LINKS,
    "operation-live": Right.VIEW_LINKS,
    # What concerns an integration as a whole, and no customer.
    "integration-operation": Right.VIEW_INTEGRATIONS,
    "integration-operation-live": Right.VIEW_INTEGRATIONS,
    "link-code-withdraw": Right.UPDATE_CREDENTIALS,
    "link-code-cancel": Right.WITHDRAW_CHALLENGE,
    "operation-decide": Right.DECIDE_OUTCOME,
    "operation-check": Right.REFRESH,
    # Work on many links: planned by who may do it to one, seen by who sees links.
    "bulk-list": Right.VIEW_LINKS,
    "bulk-refresh": Right.REFRESH,
    "bulk-assign": Right.ORGANISE_LINKS,
    "bulk-note": Right.ORGANISE_LINKS,
    "bulk-live": Right.VIEW_LINKS,
    "bulk-detail": Right.VIEW_LINKS,  # to change how it stands takes the right to what the job does
}

# Django's permission names, as the admin asks for them. Whoever is in none of these rows sees nothing there.
ADMIN_RIGHTS: Mapping[str, Right] = {
    "accounts.view_user": Right.VIEW_STAFF,
    "accounts.add_user": Right.MANAGE_STAFF,
    "accounts.change_user": Right.MANAGE_STAFF,
    "audit.view_auditevent": Right.VIEW_AUDIT,
    "links.view_enduser": Right.VIEW_END_USERS,
    "links.view_healthchange": Right.VIEW_LINKS,
    "links.view_institution": Right.VIEW_INTEGRATIONS,
    "integrations.view_integration": Right.VIEW_INTEGRATIONS,
    "integrations.add_integration": Right.MANAGE_INTEGRATIONS,
    "integrations.change_integration": Right.MANAGE_INTEGRATIONS,
    "links.view_link": Right.VIEW_LINKS,
    "bulk.view_bulkjob": Right.VIEW_LINKS,
    "bulk.view_bulkitem": Right.VIEW_LINKS,
    "webhooks.view_webhookdelivery": Right.VIEW_DELIVERIES,
    "webhooks.view_webhooksecret": Right.VIEW_INTEGRATIONS,
    "operations.view_operation": Right.VIEW_LINKS,
    "operations.view_attemptallowance": Right.VIEW_LINKS,
}


def rights_of(user: object) -> frozenset[Right]:
    """Return what this person may do; nothing, if nobody is logged in or the account is disabled."""
    if not getattr(user, "is_active", False):
        return frozenset()
    return MATRIX.get(getattr(user, "role", ""), frozenset())


def may(user: object, right: Right) -> bool:
    return right in rights_of(user)


def rule_for(view_name: str, method: str, change: Any = None) -> Rule | None:
    """Return what opens this page, or None if nothing does. The page of a change takes the right that its row names."""
    if view_name.startswith("admin:"):
        return Right.ENTER_ADMIN
    rule: Rule | Mapping[str, Rule] | None = URL_RIGHTS.get(view_name) if change is None else change.right
    if isinstance(rule, Mapping):
        return rule.get("GET" if method == "HEAD" else method)
    return rule
