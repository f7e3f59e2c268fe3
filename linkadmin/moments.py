"""Every column with a time, and how far in the future it may be. Repairs what a clock that was ahead has left.

Each column is named once: with its maximum time ahead, with none if it's when we did something, or as a plain fact that
nothing depends on. Models are named by label, so that this module imports no app.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.db import transaction

NEVER_AHEAD = timedelta(0)
A_MINUTE, A_QUARTER, A_DAY = timedelta(minutes=1), timedelta(minutes=15), timedelta(days=1)
# Clock skew between two machines.
CLOCKS_APART = timedelta(seconds=30)
LONGEST_CALL = CLOCKS_APART + timedelta(
    seconds=settings.LEASE_MARGIN_SECONDS
    + max(settings.PROVIDER_CREDENTIALS_SECONDS, settings.PROVIDER_CHANGE_SECONDS, settings.PROVIDER_READ_SECONDS)
)
LONGEST_PAUSE = max(A_QUARTER, timedelta(seconds=settings.BREAKER_PAUSE_SECONDS)) + CLOCKS_APART
A_ROUND = A_MINUTE + timedelta(seconds=2 * settings.PROVIDER_READ_SECONDS + settings.LEASE_MARGIN_SECONDS)  # of reads

_READ = {
    "due_at": A_QUARTER,
    "wanted_at": A_MINUTE,
    "wanted_since": A_MINUTE,
    "lease_until": A_ROUND,
    "read_at": NEVER_AHEAD,
    "answered_at": NEVER_AHEAD,
}
BOUNDS: Mapping[str, Mapping[str, timedelta]] = {
    "accounts.ApprovalRequest": {"expires_at": 7 * A_DAY},
    "accounts.Invitation": {"expires_at": 3 * A_DAY},
    "accounts.SignInLimit": {"expires_at": A_DAY},
    "accounts.StaffSession": {
        "expire_date": timedelta(seconds=settings.SESSION_COOKIE_AGE),
        "started_at": NEVER_AHEAD,
        "seen_at": NEVER_AHEAD,
    },
    "audit.AuditCheck": {"checked_at": NEVER_AHEAD},
    "heartbeats.Heartbeat": {"alive_at": NEVER_AHEAD, "worked_at": NEVER_AHEAD},
    "audit.ClockMark": {"seen_at": NEVER_AHEAD, "jumped_at": NEVER_AHEAD},
    "integrations.Integration": {
        "keys_retry_at": A_QUARTER,
        "keys_rejected_at": NEVER_AHEAD,
        "tested_at": NEVER_AHEAD,
        "institutions_read_at": NEVER_AHEAD,
        "last_full_check_at": NEVER_AHEAD,
    },
    "links.Institution": {"read_at": NEVER_AHEAD},
    "links.Link": dict.fromkeys(
        (
            "health_since",
            "code_since",
            "last_attempt_at",
            "refused_at",
            "observed_at",
            "checked_at",
            "checking_since",
            "missing_since",
            "verifying_since",
        ),
        NEVER_AHEAD,
    ),
    "integrations.CircuitBreaker": {
        "open_until": timedelta(seconds=settings.BREAKER_PAUSE_SECONDS),
        "probe_until": LONGEST_CALL,
    },
    "integrations.CallSlot": {"lease_until": LONGEST_CALL},
    "integrations.CallQuota": {"window_ends_at": A_QUARTER},
    "webhooks.WebhookSecret": {"created_at": NEVER_AHEAD},
    "webhooks.WebhookDelivery": {
        "due_at": A_QUARTER,
        "wanted_at": NEVER_AHEAD,
        "lease_until": A_ROUND,
        "processed_at": NEVER_AHEAD,
    },
    "operations.Operation": {
        "created_at": NEVER_AHEAD,
        "sent_at": NEVER_AHEAD,
        "finished_at": NEVER_AHEAD,
        "lease_until": LONGEST_CALL,
        "check_at": A_MINUTE,
        "retry_at": A_DAY,
    },
    "operations.PendingChallenge": {"received_at": NEVER_AHEAD, "expires_at": A_DAY},
    "links.RepairRequest": {"expires_at": timedelta(days=7), "step_at": NEVER_AHEAD, "at": NEVER_AHEAD},
    "links.HostedSession": {"due_at": A_QUARTER, "lease_until": A_ROUND, "expires_at": timedelta(days=7) + A_MINUTE},
    "links.RepairVisit": {"expires_at": timedelta(minutes=30)},
    "operations.AttemptAllowance": {"allowed_at": NEVER_AHEAD},
    "sync.FullCheck": {"started_at": NEVER_AHEAD, "lease_until": A_MINUTE, "due_at": A_QUARTER},
    "sync.FullCheckBatch": {"due_at": A_QUARTER, "lease_until": A_ROUND, "requested_at": NEVER_AHEAD},
    "links.LinkRead": _READ,
    "sync.UnknownLinkRead": _READ,
    "staff_limits.LimitUse": {
        "warned_at": NEVER_AHEAD,
        "reached_at": NEVER_AHEAD,
        "lifted_until": timedelta(hours=1),
    },
    "bulk.BulkJob": {"created_at": NEVER_AHEAD, "started_at": NEVER_AHEAD},
    "bulk.BulkPart": {"due_at": A_QUARTER, "lease_until": A_ROUND},
}
# Shown on pages and stored in records. Nothing waits for them or is compared with them.
FACTS: Mapping[str, frozenset[str]] = {
    "accounts.ApprovalRequest": frozenset({"asked_at", "decided_at"}),
    "accounts.User": frozenset({"last_login"}),
    "audit.AuditEvent": frozenset({"at"}),
    "audit.AuditHead": frozenset({"signed_at"}),
    "audit.AuditCheck": frozenset({"head_problem_since"}),
    "heartbeats.Heartbeat": frozenset({"started_at"}),
    "integrations.Integration": frozenset({"created_at"}),
    "integrations.IntegrationSecret": frozenset({"changed_at"}),
    "links.EndUser": frozenset({"created_at"}),
    # What the provider says, and what follows from that.
    "links.Link": frozenset(
        {"created_at", "disconnected_at", "remote_created_at", "remote_updated_at", "last_good_at", "stale_at"}
    ),
    "links.Note": frozenset({"at"}),
    "links.AssigneeChange": frozenset({"at"}),
    "links.InstitutionChange": frozenset({"at"}),
    "links.UnrecognizedValue": frozenset({"first_at", "last_at"}),
    "links.HealthChange": frozenset({"at"}),
    "links.RepairRequest": frozenset({"fetched_at", "ended_at"}),
    "links.RepairStep": frozenset({"at"}),
    "links.Recount": frozenset({"at"}),
    "integrations.CallSlot": frozenset({"taken_at"}),
    "webhooks.WebhookEndpoint": frozenset({"created_at"}),
    "webhooks.WebhookSecret": frozenset({"revoked_at"}),
    "webhooks.WebhookDelivery": frozenset({"received_at", "remote_created_at"}),
    "webhooks.DeliveryLink": frozenset({"read_at"}),
    "webhooks.RefusalCount": frozenset({"minute"}),
    "operations.Operation": frozenset({"good_data_before"}),
    "sync.FullCheck": frozenset({"finished_at", "listed_at"}),
    "sync.FullCheckBatch": frozenset({"done_at"}),
    "sync.SkippedRecord": frozenset({"at"}),
    "staff_limits.LimitLift": frozenset({"lifted_at", "until"}),
    "bulk.BulkJob": frozenset({"finished_at"}),
    "bulk.BulkPart": frozenset({"done_at"}),
    "bulk.BulkItem": frozenset({"finished_at"}),
}


def repair_times(*, now: datetime) -> int:
    """After a clock was ahead, bring back times that are too far in the future. Returns how many values."""
    repaired = 0
    for label, bounds in BOUNDS.items():
        rows = apps.get_model(label)._default_manager
        for column, bound in bounds.items():
            with transaction.atomic():
                repaired += rows.filter(**{f"{column}__gt": now + bound}).update(**{column: now + bound})
    return repaired
