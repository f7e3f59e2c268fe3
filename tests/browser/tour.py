"""Data for every page, and the URLs of all pages a person can open."""

from datetime import timedelta

from django.utils import timezone

from linkadmin.links import health
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.providers.types import Cause, Observation, RemoteLink
from linkadmin.sync import full_checks
from linkadmin.sync.models import FullCheck, FullCheckState
from tests.bulk.helpers import completed, draft_job, started_job
from tests.environment import Environment
from tests.webhooks.webhook_sender import deliver, heron_webhook, open_endpoint, signed, stored_delivery

NAMES = ("Acme Corp", "Blue Fern Bakery", "Panadería y Pastelería La Esquina del Sol Naciente", "Ninth Dental")
NOBODY = ""


def furnish(env: Environment) -> None:
    """Create a link for each cause, with names and texts of every length."""
    now = timezone.now()
    for number, cause in enumerate(VERDICTS):
        customer = env.customer(NAMES[number % len(NAMES)])
        bank = env.belvo.institutions.order_by("name")[number % 20]
        link = Link(integration=env.belvo, end_user=customer, institution=bank, remote_id=f"link-{number}")
        if number % 3 == 0:
            link.assignee = env.people["ana"]
        words = "The provider's own sentence about it, as long as such sentences are, with-a-word-that-never-ends" * 2
        seen = Observation(cause=cause, raw_status="invalid", raw_code="login_error", raw_words=words)
        report = health.Report(seen, health.Source.WEBHOOK, now - timedelta(hours=7 * number))
        health.start_link(RemoteLink(remote_id=link.remote_id, observation=seen), link, report)


def jobs(env: Environment, link: Link) -> list[str]:
    """Return the pages of a draft, a running job and a finished job. The finished one skipped many links."""
    links = list(Link.objects.filter(integration=env.belvo))
    plan = draft_job(env, "refresh", [*links, link])
    running = started_job(env, "refresh", links)
    done = completed(started_job(env, "note", [*links, link], text=f"{'A long note about all of them. ' * 20}"))
    return [job.get_absolute_url() for job in (plan, running, done)]


def full_checks_of(env: Environment) -> list[FullCheck]:
    """Create a failed full check with every detail filled in, and a running one."""
    note = "No usable response. We couldn't read the response. It may have been a web page."
    failed = FullCheck(integration=env.heron, state=FullCheckState.FAILED, note=note, skipped=3, unread=40, seen=12_345)
    failed.save()
    return [failed, full_checks.start(env.heron, started_by=env.people["adm"])]


def pages(env: Environment) -> list[tuple[str, str]]:
    """Return (username, URL) for every kind of page, with plenty of data on each."""
    furnish(env)
    broken, asked, lost = (env.belvo_link(name) for name in NAMES[:3])
    env.send(f"{asked.get_absolute_url()}credentials/", password="mfa_qr")
    env.send(f"{lost.get_absolute_url()}credentials/", password="lost_before")
    refused = env.belvo_link("Rejected", cause=Cause.ACCOUNT_LOCKED)
    env.send(f"{refused.get_absolute_url()}credentials/", password="pass_invalid")
    verifying = env.belvo_link("Proving")
    env.send(f"{verifying.get_absolute_url()}credentials/", password="pass_valid")
    repaired_there = env.belvo_link("Repaired there", bank="ofmockbank_br_retail")
    env.send(f"{repaired_there.get_absolute_url()}repair-url/", locale="es")
    tasks.close_overdue()
    listed = env.heron_link("Listed", item_id="item-listed")
    env.let_know(env.heron, listed.end_user, "item-of-the-same-customer", None, Cause.LOGIN_REQUIRED)
    at_heron = f"/integrations/{env.heron.pk}"
    body = heron_webhook(end_user_id=listed.end_user.external_id)
    deliver(open_endpoint(env.heron), body, signed(body))
    support = [
        "/",
        "/?assigned=mine",
        "/links/",
        "/links/?state=customer&assigned=mine",
        "/links/?state=setting_up&assigned=mine",
        "/links/new/",
        f"/links/new/?integration={env.belvo.pk}",
        env.new_link_url("anchorhead_mx_fiscal"),
        env.new_link_url(),
        broken.get_absolute_url(),
        f"{broken.get_absolute_url()}credentials/",
        f"{broken.get_absolute_url()}notes/",
        f"{refused.get_absolute_url()}history/",
        f"{refused.get_absolute_url()}history/?kind=note&order=oldest&utc=1",
        f"{asked.get_absolute_url()}code/",
        refused.get_absolute_url(),
        verifying.get_absolute_url(),
        env.last_operation(refused).get_absolute_url(),
        env.last_operation(lost).get_absolute_url(),
        *(f"{broken.get_absolute_url()}{slug}/" for slug in ("settings", "fetch", "repair-url", "delete", "reports")),
        env.last_operation(repaired_there).get_absolute_url(),
        listed.get_absolute_url(),
        *(f"{listed.get_absolute_url()}{slug}/" for slug in ("access-token", "reports", "delete")),
        "/customers/",
        refused.end_user.get_absolute_url(),
        "/institutions/",
        env.bank("ironbank_br_retail").get_absolute_url(),
        f"/integrations/{env.belvo.pk}/institutions/",
        f"/integrations/{env.belvo.pk}/records/links/",
        f"{at_heron}/records/links/",
        f"{at_heron}/records/customers/",
        f"/customers/{listed.end_user_id}/records/{env.heron.pk}/",
        f"/customers/{broken.end_user_id}/records/{env.heron.pk}/",
        f"{listed.get_absolute_url()}records/",
        "/unrecognized-values/",
        "/bulk/",
        *jobs(env, listed),
        "/deliveries/",
        stored_delivery(env.heron).get_absolute_url(),
        "/accounts/password/",
        "/integrations/",
        "/no/such/page/",
    ]
    manager = ["/integrations/", env.belvo.get_absolute_url(), f"{asked.get_absolute_url()}code/"]
    administrator = [
        "/status/",
        f"{at_heron}/endpoint/",
        f"{at_heron}/endpoint/url/",
        f"{at_heron}/endpoint/secrets/{env.heron.webhook_secrets.get().pk}/revoke/",
        env.heron.get_absolute_url(),
        f"{at_heron}/records/connectors/",
        f"{at_heron}/records/webhooks/",
        f"{at_heron}/webhooks/add/",
        f"{at_heron}/webhooks/wbh_gone/end/",
        f"{at_heron}/reports/",
        *(each.get_absolute_url() for each in full_checks_of(env)),
        f"{at_heron}/full-checks/",
    ]
    return [
        (NOBODY, "/accounts/login/"),
        *(("ana", address) for address in support),
        *(("mia", address) for address in manager),
        *(("adm", address) for address in administrator),
    ]
