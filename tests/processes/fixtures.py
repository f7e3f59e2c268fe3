"""Fills a migrated database for process tests: staff, two integrations, and links to repair."""

import hashlib
import json
from types import SimpleNamespace
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from linkadmin.accounts.models import RecoveryCode, User
from linkadmin.links import health
from linkadmin.links.models import EndUser, Link
from linkadmin.providers.types import Cause, Observation, RemoteLink
from linkadmin.simulator.server import Simulator
from tests import environment
from tests.processes.browser import CODES


def fill(simulator_url: str) -> dict[str, Any]:
    """Return the new IDs."""
    call_command("createcachetable", verbosity=0)
    if not any(settings.STATIC_ROOT.iterdir()):
        call_command("collectstatic", interactive=False, verbosity=0)
    built = environment.build(cast(Simulator, SimpleNamespace(url=simulator_url)))
    for person in built.people.values():
        _add_second_factor(person)
    known = json.loads((settings.DATA_DIR / "simulator.json").read_text())
    links = [_link(built, number, remote) for number, remote in enumerate(known["belvo"]["links"])]
    integrations = {"belvo": str(built.belvo.pk), "heron": str(built.heron.pk)}
    return {"links": links, "integrations": integrations}


def _add_second_factor(person: User) -> None:
    """A passkey that nobody has, and many recovery codes."""
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Lost"})
    digests = [hashlib.sha256(code.replace(" ", "").encode()).hexdigest() for code in CODES]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=person, digest=digest) for digest in digests)


def _link(built: environment.Environment, number: int, remote: dict[str, Any]) -> dict[str, str]:
    """Store a link that the simulator has, with the same cause."""
    customer = EndUser.objects.create(external_id=f"cus-{number:03}", name=f"Customer {number}")
    bank = built.bank(remote["institution"])
    link = Link(integration=built.belvo, end_user=customer, institution=bank, remote_id=remote["id"])
    seen = Observation(cause=Cause.LOGIN_REFUSED, raw_status=remote["status"])
    report = health.Report(seen, health.Source.WEBHOOK, timezone.now())
    health.start_link(RemoteLink(remote_id=remote["id"], observation=seen), link, report)
    return {"id": str(link.pk), "remote_id": link.remote_id, "bank": bank.name}
