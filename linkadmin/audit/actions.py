"""All actions and target types of the audit log. Events are hashed and searched for years: never change a value."""

from enum import StrEnum
from typing import Literal, NewType

OperationAction = NewType("OperationAction", str)
OperationStep = Literal["", ".canceled", ".resolved"]


class Action(StrEnum):
    """What was done. The part before the dot is the subject that a list filters by."""

    STAFF_CREATED = "staff.created"
    STAFF_UPDATED = "staff.updated"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_GIVEN = "approval.approved"
    APPROVAL_REJECTED = "approval.rejected"
    APPROVAL_CANCELED = "approval.canceled"
    APPROVAL_EXPIRED = "approval.expired"
    INVITATION_CREATED = "staff.invited"
    INVITATION_MAILED = "staff.invitation_mailed"
    INVITATION_ACCEPTED = "staff.invitation_accepted"
    PASSWORD_CHANGED = "staff.password_changed"  # noqa: S105
    FACTOR_ADDED = "staff.factor_added"
    FACTOR_REMOVED = "staff.factor_removed"
    FACTORS_RESET = "staff.factors_reset"
    IDENTITY_LINKED = "staff.identity_linked"
    IDENTITY_UNLINKED = "staff.identity_unlinked"
    RECOVERY_CODES_CREATED = "staff.recovery_codes_created"
    ACCESS_RECOVERED = "staff.access_recovered"
    LIMIT_WARNED = "staff.limit_warned"
    LIMIT_REACHED = "staff.limit_reached"
    LIMIT_LIFTED = "staff.limit_lifted"
    SESSION_STARTED = "session.started"
    SESSION_ENDED = "session.ended"
    SESSION_CONFIRMED = "session.confirmed"
    SIGN_IN_REJECTED = "session.sign_in_rejected"
    FACTOR_REJECTED = "session.factor_rejected"
    ACCESS_DENIED = "access.denied"
    AUDIT_VIEWED = "audit.viewed"
    END_USER_CREATED = "end_user.created"
    END_USER_VIEWED = "end_user.viewed"
    NAME_SHOWN = "end_user.name_shown"
    CONTACT_SET = "end_user.contact_set"
    ACCOUNT_MANAGER_SET = "end_user.account_manager_set"
    LINK_VIEWED = "link.viewed"
    LINK_CHECKED = "link.checked"
    LINK_ASSIGNED = "link.assigned"
    NOTE_ADDED = "link.note_added"
    REPAIR_REQUEST_SENT = "link.repair_request_sent"
    REPAIR_REQUEST_REVOKED = "link.repair_request_revoked"
    REPAIR_LIMITED = "link.repair_limited"
    REPAIR_REQUEST_OPENED = "link.repair_request_opened"
    ATTEMPT_ALLOWED = "link.attempt_allowed"
    OPERATION_CHECKED = "operation.checked"
    INTEGRATION_CREATED = "integration.created"
    INTEGRATION_UPDATED = "integration.updated"
    CONNECTION_TESTED = "integration.connection_tested"
    ENDPOINT_CREATED = "integration.endpoint_created"
    ENDPOINT_URL_RENEWED = "integration.endpoint_url_renewed"
    WEBHOOK_SECRET_ADDED = "integration.webhook_secret_added"  # noqa: S105
    WEBHOOK_SECRET_REVOKED = "integration.webhook_secret_revoked"  # noqa: S105
    FULL_CHECK_STARTED = "full_check.started"
    FULL_CHECK_STOPPED = "full_check.stopped"
    PROVIDER_RECORDS_VIEWED = "provider_records.viewed"
    DELIVERY_VIEWED = "delivery.viewed"
    DELIVERY_REPROCESSED = "delivery.reprocessed"
    JOB_STARTED = "bulk_job.started"
    JOB_PAUSED = "bulk_job.paused"
    JOB_RESUMED = "bulk_job.resumed"
    JOB_FINISHED = "bulk_job.finished"
    LIST_EXPORTED = "list.exported"
    DEMO_SEEDED = "demo.seeded"


class ObjectType(StrEnum):
    """What it was done to."""

    STAFF = "staff"
    PAGE = "page"
    AUDIT_EVENT = "audit_event"
    AUDIT_LOG = "audit_log"
    END_USER = "end_user"
    LINK = "link"
    INSTITUTION = "institution"
    INTEGRATION = "integration"
    OPERATION = "operation"
    DELIVERY = "delivery"
    BULK_JOB = "bulk_job"
    LIST = "list"


def of_operation(kind: str, step: OperationStep = "") -> OperationAction:
    return OperationAction(f"operation.{kind}{step}")
