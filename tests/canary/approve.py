"""Approve all requests, as the host does without a second administrator."""

import json
import sys

import django

django.setup()

from linkadmin.accounts.models import ApprovalState  # noqa: E402
from linkadmin.accounts.staff import approvals  # noqa: E402

if __name__ == "__main__":
    for request in approvals.pending():
        approvals.decide(request.pk, ApprovalState.APPROVED, by=None)
    json.dump({}, sys.stdout)
