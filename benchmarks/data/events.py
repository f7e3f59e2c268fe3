"""An audit log whose chain verifies: one event per link."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from benchmarks.sizes import Size
from linkadmin.accounts.models import User
from linkadmin.audit.actions import Action, ObjectType
from linkadmin.audit.chain import GENESIS, audit_key, canonical_text, chained_hash, keyed_mac
from linkadmin.audit.models import AuditEvent, AuditHead
from linkadmin.links.models import Link

from .table import NOW, Table, chance_of, loading, moment, new_id

ACTIONS = {Action.LINK_VIEWED: 0.7, Action.LINK_CHECKED: 0.2, Action.NOTE_ADDED: 0.0998, Action.ATTEMPT_ALLOWED: 0.0002}
FACTS = [
    "seq",
    "at",
    "actor_id",
    "actor",
    "actor_role",
    "action",
    "object_type",
    "object_id",
    "outcome",
    "operation_id",
    "request_id",
    "details",
]
SECONDS = 30  # between two events


def build(size: Size) -> None:
    with loading(AuditEvent):
        Table(AuditEvent, *FACTS, "prev", "canonical", "hash", "mac").fill(_events(size.links))
    last = AuditEvent.objects.order_by("-seq")[0]
    AuditHead.objects.update(seq=last.seq, hash=last.hash, signed_seq=last.seq)


def _events(count: int) -> Iterator[tuple[Any, ...]]:
    chance, key, prev = chance_of("audit"), audit_key(), GENESIS
    staff = list(User.objects.order_by("username"))
    links = [pk.hex for pk in Link.objects.order_by("pk").values_list("pk", flat=True)[:10_000]]
    for seq in range(1, count + 1):
        actor = staff[int(len(staff) * chance.random() ** 2)]
        at = NOW - timedelta(seconds=SECONDS * (count - seq))
        facts = {
            "seq": seq,
            "at": at,
            "actor_id": str(actor.pk),
            "actor": actor.username,
            "actor_role": str(actor.roles),
            "action": str(chance.choices([*ACTIONS], [*ACTIONS.values()])[0]),
            "object_type": str(ObjectType.LINK),
            "object_id": chance.choice(links),
            "outcome": "done",
            "operation_id": "",
            "request_id": new_id(chance),
            "details": {},
        }
        canonical = canonical_text(facts)
        event_hash = chained_hash(canonical, prev=prev)
        columns = facts | {"at": moment(at), "details": "{}"}
        yield *columns.values(), prev, canonical, event_hash, keyed_mac(event_hash, key=key)
        prev = event_hash
