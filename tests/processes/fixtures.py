"""Fill a migrated database for process tests: staff, two integrations, and links to repair.

`python -m tests.processes.fixtures SIMULATOR_URL` prints the new IDs as JSON.
"""

import hashlib
import json
import sys
from types import SimpleNamespace
from typing import Any, cast

import django

django.setup()

from allauth.mfa.models import Authenticator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from linkadmin.accounts.models import RecoveryCode, User  # noqa: E402
from linkadmin.links import health  # noqa: E402
from linkadmin.links.models import EndUser, Link  # noqa: E402
from linkadmin.providers.types import Cause, Observation, RemoteLink  # noqa: E402
from linkadmin.simulator.server import Simulator  # noqa: E402
from tests import environment  # noqa: E402
from tests.processes.browser import CODES  # noqa: E402


def main(simulator_url: str) -> None:
    call_command("createcachetable", verbosity=0)
    if not any(settings.STATIC_ROOT.iterdir()):
        call_command("collectstatic", interactive=False, verbosity=0)
    built = environment.build(cast(Simulator, SimpleNamespace(url=simulator_url)))
    for person in built.people.values():
        _add_second_factor(person)
    known = json.loads((settings.DATA_DIR / "simulator.json").read_text())
    links = [_link(built, number, remote) for number, remote in enumerate(known["belvo"]["links"])]
    integrations = {"belvo": str(built.belvo.pk), "heron": str(built.heron.pk)}
    json.dump({"links": links, "integrations": integrations}, sys.stdout)


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


if __name__ == "__main__":
    main(sys.argv[1])
