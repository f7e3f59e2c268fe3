"""Production and sandbox: never in one list or count, one switch for both, and a mark on what is in the sandbox."""

import csv
import io
import uuid

import pytest
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.bulk.models import BulkJob
from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.count_upkeep import fold
from linkadmin.links.models import Link, UnrecognizedValue
from linkadmin.links.staff_work import assign
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause, Observation, RemoteLink
from linkadmin.webhooks.models import WebhookDelivery
from tests.bulk.helpers import draft_job, select
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SWITCH = "/accounts/environment/"
NOTICE = "This page shows the sandbox. Other lists and counts show production."
NOTICE_OF_PRODUCTION = "This page shows production. Other lists and counts show the sandbox."


def move_to_sandbox(integration: Integration) -> None:
    integration.environment = "sandbox"
    integration.save()


@pytest.fixture
def live(env: Environment) -> Link:
    """In production."""
    return env.belvo_link("Live Corp")


@pytest.fixture
def trial(env: Environment) -> Link:
    """In the sandbox."""
    move_to_sandbox(env.heron)
    return env.heron_link("Trial Corp", cause=Cause.LOGIN_REQUIRED, bank="Trial Bank")


def switch(env: Environment, environment: str, name: str = "ana") -> None:
    assert env.post(SWITCH, {"environment": environment}, name).status == 302


def shown(page: Page, *links: Link) -> list[bool]:
    return [link.get_absolute_url() in page.links() for link in links]


def offers_switch(page: Page) -> bool:
    return any(each.attrs.get("popovertarget") == "environment-menu" for each in page.elements)


def an_operation(env: Environment, link: Link) -> Operation:
    return Operation.objects.create(
        kind="update_credentials",
        state="rejected",
        integration=link.integration,
        link=link,
        end_user=link.end_user,
        actor=env.people["ana"],
        operation_key=uuid.uuid4(),
        request_id=f"request-of-{link.integration.provider}",
    )


def exported(env: Environment, url: str, column: str) -> set[str]:
    text = b"".join(env.client("mia").get(url)).decode()  # type: ignore[arg-type]
    return {line[column] for line in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}


@pytest.mark.usefixtures("live", "trial")
def test_production_comes_first(env: Environment) -> None:
    page = env.open("/links/")

    assert offers_switch(page)
    assert "All 1" in page.words
    assert "Live Corp" in page.words
    assert "Trial Corp" not in page.words


@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_where_there_is_one_environment_there_is_no_choice_and_no_mark(env: Environment, environment: str) -> None:
    Integration.objects.update(environment=environment)
    env.heron.refresh_from_db()
    env.heron_link("Acme Corp")

    page = env.open("/links/")

    marks = [each.attrs["class"] for each in page.elements if "environment" in each.attrs.get("class", "")]
    assert "Acme Corp" in page.words
    assert not offers_switch(page)
    assert marks == [f"environment environment--{environment}"]  # in the top bar


def test_without_integrations_there_is_no_environment(env: Environment) -> None:
    Integration.objects.all().delete()

    page = env.open("/links/")

    assert not [each for each in page.elements if "environment" in each.attrs.get("class", "")]


def test_switch_lasts_and_is_each_persons_own(env: Environment, live: Link, trial: Link) -> None:
    switch(env, "sandbox")
    env.browsers.clear()  # signed in elsewhere

    assert shown(env.open("/links/"), live, trial) == [False, True]
    assert shown(env.open("/links/", "mia"), live, trial) == [True, False]
    switch(env, "production")
    assert shown(env.open("/links/"), live, trial) == [True, False]


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("/links/?state=us&sort=-since", "/links/?state=us&sort=-since"),
        ("/links/?state=us&integration={live}&before=", "/links/?state=us"),
        ("/institutions/?integration={live}", "/institutions/"),
        ("/bulk/refresh/", "/"),
    ],
)
@pytest.mark.usefixtures("trial")
def test_switch_returns_to_the_page_without_what_names_the_other_environment(
    env: Environment, live: Link, page: str, back: str
) -> None:
    url = page.format(live=live.integration_id)
    answer = env.client().post(SWITCH, {"environment": "sandbox"}, headers={"referer": f"http://testserver{url}"})

    assert answer.headers["Location"] == back


def test_choice_of_an_environment_that_is_gone_is_no_choice(env: Environment, live: Link) -> None:
    env.people["ana"].environment = "sandbox"
    env.people["ana"].save(update_fields=["environment"])

    assert shown(env.open("/links/"), live) == [True]


def test_tabs_and_filters_count_one_environment(env: Environment, live: Link, trial: Link) -> None:
    for link in (live, trial):
        assign(link, by=env.people["mia"], assignee=env.people["ana"])
    env.heron_link("Second trial", item_id="item-2")
    fold()
    env.heron_link("Third trial", item_id="item-3")

    words = env.open("/links/").words
    assert "Waiting on customer 1 Bank/provider 0 Us 0 All 1 Mine 1" in words
    assert "Unassigned · 0" in words

    switch(env, "sandbox")
    words = env.open("/links/").words
    assert "Waiting on customer 1 Bank/provider 0 Us 0 All 3 Mine 1" in words
    assert "Unassigned · 2" in words


@pytest.mark.usefixtures("live")
def test_filters_offer_what_is_in_the_environment(env: Environment, trial: Link) -> None:
    page = env.open("/links/")
    assert env.belvo.name in page.words
    assert env.heron.name not in page.words

    suggested = env.open("/links/institutions/?bank=Trial").words
    assert "Trial Bank" not in suggested
    switch(env, "sandbox")
    assert "Trial Bank" in env.open("/links/institutions/?bank=Trial").words
    assert str(trial.institution_id) in env.client().get("/links/?bank=Trial+Bank").headers["Location"]


@pytest.mark.parametrize(
    "url",
    [
        "/links/?integration={link.integration_id}",
        "/links/?institution={link.institution_id}",
        "/links/{link.pk}/",
        "/links/{link.pk}/credentials/",
        "/links/{link.pk}/delete/",
        "/links/{link.pk}/history/",
        "/institutions/{link.institution_id}/",
        "/institutions/?integration={link.integration_id}",
        "/operations/?integration={link.integration_id}",
        "/deliveries/?integration={link.integration_id}",
        "/links/new/?integration={link.integration_id}",
    ],
)
def test_url_of_the_other_environment_works_and_says_so(env: Environment, live: Link, trial: Link, url: str) -> None:
    assert NOTICE in env.open(url.format(link=trial)).source
    assert "This page shows" not in env.open(url.format(link=live)).source

    switch(env, "sandbox")
    assert "This page shows" not in env.open(url.format(link=trial)).source
    assert NOTICE_OF_PRODUCTION in env.open(url.format(link=live)).source


def test_list_of_the_other_environments_integration_counts_its_own(env: Environment, live: Link, trial: Link) -> None:
    page = env.open(f"/links/?integration={trial.integration_id}")

    assert shown(page, live, trial) == [False, True]
    assert "All 1" in page.words
    assert env.heron.name in page.words


def test_rows_and_forms_of_the_sandbox_are_marked(env: Environment, live: Link, trial: Link) -> None:
    switch(env, "sandbox")
    an_operation(env, trial)
    WebhookDelivery.objects.create(integration=env.heron, key="1", topic="transactions")
    job = draft_job(env, "refresh", [trial])

    assert f"Sandbox {env.heron.name}" in env.open("/links/").words
    assert f"Sandbox {env.heron.name}" in env.open("/operations/").words
    assert f"Sandbox {env.heron.name}" in env.open("/deliveries/").words
    assert f"Sandbox {env.heron.name}" in env.open(job.get_absolute_url()).words
    for form in ("", "access-token/", "delete/", "settings/"):
        assert "Trial Corp · Trial Bank Sandbox" in env.open(f"{trial.get_absolute_url()}{form}").words
        assert "Bank Sandbox" not in env.open(f"{live.get_absolute_url()}{form}").words
    assert f"Sandbox {env.heron.name}" in env.open(f"/links/new/?integration={env.heron.pk}").words
    assert f"{env.heron.name} Sandbox" in env.open("/links/new/").words


def test_customers_are_listed_by_their_links_of_one_environment(env: Environment, live: Link, trial: Link) -> None:
    assert [name in env.open("/customers/").words for name in ("Live Corp", "Trial Corp")] == [True, False]

    Link.objects.filter(pk=trial.pk).update(end_user=live.end_user)
    assert "1 of 1 link" in env.open("/customers/").words
    assert "1 of 1 link" in env.open("/customers/?sort=name").words
    switch(env, "sandbox")
    assert "1 of 1 link" in env.open("/customers/").words


def test_customers_page_shows_one_environment_and_says_if_there_is_more(
    env: Environment, live: Link, trial: Link
) -> None:
    customer = live.end_user.get_absolute_url()
    page = env.open(trial.end_user.get_absolute_url())
    assert shown(page, live, trial) == [False, True]
    assert NOTICE in page.source
    assert "also has links" not in page.words

    Link.objects.filter(pk=trial.pk).update(end_user=live.end_user)
    page = env.open(customer)
    assert shown(page, live, trial) == [True, False]
    assert "1 of 1 link waiting on the customer" in page.words
    assert "This customer also has links in the sandbox." in page.words

    switch(env, "sandbox")
    page = env.open(customer)
    assert shown(page, live, trial) == [False, True]
    assert f"Sandbox {env.heron.name}" in page.words
    assert "This customer also has links in production." in page.words


def test_overview_counts_one_environment(env: Environment, live: Link, trial: Link) -> None:
    env.heron_link("Second trial", item_id="item-2", cause=Cause.BANK_DOWN, bank="Other Bank")
    for link in (live, trial):
        an_operation(env, link)
        Link.objects.filter(pk=link.pk).update(renew_by=timezone.localdate())
    fold()

    words = env.open("/").words
    assert "1 of 1 active links is waiting on a customer" in words
    assert "repaired, 0% of 1 link" in words
    assert "Within 7 days 1 link" in words
    assert "Live Corp" in words
    assert "Trial Corp" not in words

    switch(env, "sandbox")
    words = env.open("/").words
    assert "1 of 2 active links is waiting on a customer" in words
    assert "repaired, 0% of 1 link" in words
    assert "Within 7 days 1 link" in words
    assert "Trial Corp" in words
    assert "Live Corp" not in words


def test_incidents_and_known_problems_are_of_one_environment(env: Environment, live: Link, trial: Link) -> None:
    for link in (live, trial):
        for number in range(2):
            twin = Link(integration=link.integration, end_user=env.customer(), institution=link.institution)
            twin.remote_id = f"twin-{number}"
            remote = RemoteLink(twin.remote_id, Observation(Cause.BANK_DOWN), institution=link.institution.name)
            health.start_links([(twin, remote)], at=timezone.now())

    for environment, here, elsewhere in (("production", live, trial), ("sandbox", trial, live)):
        switch(env, environment)
        for page in ("/", "/institutions/"):
            words = env.open(page).words
            assert f"{here.bank} 2 of 3 links are waiting" in words
            assert elsewhere.bank not in words


def test_institutions_are_of_one_environment(env: Environment, live: Link, trial: Link) -> None:
    page = env.open("/institutions/?q=bank")
    assert "Erebor Bank" in page.words
    assert "Trial Bank" not in page.words

    switch(env, "sandbox")
    page = env.open("/institutions/?q=bank")
    assert "Trial Bank" in page.words
    assert "Erebor Bank" not in page.words


@pytest.mark.parametrize("url", ["/operations/", "/operations/?person={ana}", "/operations/?outcome=rejected"])
def test_activity_is_of_one_environment(env: Environment, live: Link, trial: Link, url: str) -> None:
    made, tried = an_operation(env, live), an_operation(env, trial)
    url = url.format(ana=env.people["ana"].pk)

    links = env.open(url).links()
    assert (made.get_absolute_url() in links, tried.get_absolute_url() in links) == (True, False)
    switch(env, "sandbox")
    links = env.open(url).links()
    assert (made.get_absolute_url() in links, tried.get_absolute_url() in links) == (False, True)


@pytest.mark.usefixtures("live", "trial")
@pytest.mark.parametrize("query", ["", "?within=24h", "?type=unknown"])
def test_webhooks_are_of_one_environment(env: Environment, query: str) -> None:
    for integration, topic in ((env.belvo, "of-production"), (env.heron, "of-sandbox")):
        WebhookDelivery.objects.create(
            integration=integration, key=topic, topic=topic, state="done", outcome="unrecognized_type"
        )

    words = env.open(f"/deliveries/{query}").words
    assert ("of-production" in words, "of-sandbox" in words) == (True, False)
    found = read(env.client().post("/deliveries/", {"q": "of-"})).words
    assert ("of-production" in found, "of-sandbox" in found) == (True, False)

    switch(env, "sandbox")
    words = env.open(f"/deliveries/{query}").words
    assert ("of-production" in words, "of-sandbox" in words) == (False, True)
    env.post("/deliveries/reprocess/", name="mia")
    assert set(WebhookDelivery.objects.values_list("topic", "state")) == {
        ("of-production", "pending"),
        ("of-sandbox", "done"),
    }


def test_unrecognized_values_are_of_one_environment(env: Environment, live: Link, trial: Link) -> None:
    for link in (live, trial):
        Link.objects.filter(pk=link.pk).update(cause=Cause.UNRECOGNIZED.value, raw_status="odd", urgency=60)
        UnrecognizedValue.objects.create(
            environment=link.environment, provider=link.integration.provider, place="status", value="odd", seen=4
        )
    known = UnrecognizedValue.objects.get(environment="sandbox")

    assert f"/links/?unknown={known.pk}" not in env.open("/unrecognized-values/").links()
    page = env.open(f"/links/?unknown={known.pk}")
    assert shown(page, live, trial) == [False, True]
    assert NOTICE in page.source

    switch(env, "sandbox")
    assert f"/links/?unknown={known.pk}" in env.open("/unrecognized-values/").links()


def found(env: Environment, text: str, *links: Link) -> list[bool]:
    page = read(env.client().post("/find/", {"anything": text}, headers=HTMX))
    opens = {each.attrs.get("href") for each in page.elements if each.attrs.get("role") == "option"}
    return [link.get_absolute_url() in opens for link in links]


def test_names_find_one_environment_and_ids_both(env: Environment, live: Link, trial: Link) -> None:
    assert found(env, "Corp", live, trial) == [True, False]
    assert found(env, trial.remote_id, live, trial) == [False, True]
    assert "Sandbox · Sign-in needed" in read(env.client().post("/find/", {"anything": str(trial.pk)})).words

    assert shown(read(env.client().post("/links/", {"q": "Corp"})), live, trial) == [True, False]
    answer = env.client().post("/links/", {"q": trial.remote_id})
    assert answer.headers["Location"] == trial.get_absolute_url()

    switch(env, "sandbox")
    assert found(env, "Corp", live, trial) == [False, True]
    assert shown(read(env.client().post("/links/", {"q": "Corp"})), live, trial) == [False, True]


def test_palette_finds_institutions_of_one_environment_by_name(env: Environment, live: Link, trial: Link) -> None:
    assert (
        "Trial Bank"
        not in read(env.client().post("/find/", {"anything": "Trial Bank"})).words.split("Institutions")[-1]
    )
    switch(env, "sandbox")
    words = read(env.client().post("/find/", {"anything": "Trial Bank"})).words
    assert f"Trial Bank Sandbox · {env.heron.name}" in words


@pytest.mark.parametrize("words", ["", "Corp"])
def test_all_that_match_are_of_one_environment(env: Environment, live: Link, trial: Link, words: str) -> None:
    assert "Select the only result" in env.post("/bulk/count/", {"all": "1", "q": words}).source

    job = draft_job(env, "refresh", all="1", q=words)
    assert list(job.items.values_list("link", flat=True)) == [live.pk]

    switch(env, "sandbox")
    job = draft_job(env, "refresh", all="1", q=words)
    assert list(job.items.values_list("link", flat=True)) == [trial.pk]


def test_jobs_are_of_one_environment(env: Environment, live: Link, trial: Link) -> None:
    of_live, of_trial = (draft_job(env, "refresh", [link], "mia") for link in (live, trial))

    def listed() -> tuple[list[bool], set[str]]:
        links = env.open("/bulk/", "mia").links()
        in_list = [job.get_absolute_url() in links for job in (of_live, of_trial)]
        return in_list, exported(env, "/bulk/export/", "Job ID")

    assert listed() == ([True, False], {str(of_live.pk)})
    assert NOTICE in env.open(of_trial.get_absolute_url(), "mia").source
    switch(env, "sandbox", "mia")
    assert listed() == ([False, True], {str(of_trial.pk)})
    assert AuditEvent.objects.filter(action="list.exported").latest("seq").details["environment"] == "sandbox"


def test_job_has_links_of_one_environment(env: Environment, live: Link, trial: Link) -> None:
    refused = select(env, "refresh", links=[live, trial])

    assert "can't include both production and sandbox links" in env.open(refused.location).words
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize(
    "url", ["/links/export/", "/operations/export/", "/institutions/export/", "/deliveries/export/"]
)
def test_exports_are_of_one_environment(env: Environment, live: Link, trial: Link, url: str) -> None:
    for link in (live, trial):
        an_operation(env, link)
        WebhookDelivery.objects.create(integration=link.integration, key="1", topic="transactions")

    assert exported(env, url, "Integration") == {env.belvo.name}
    switch(env, "sandbox", "mia")
    assert exported(env, url, "Integration") == {env.heron.name}


def test_django_admin_lists_one_environment_and_finds_links_of_both(env: Environment, live: Link, trial: Link) -> None:
    def listed(query: str = "") -> list[bool]:
        page = env.open(f"/admin/links/link/{query}", "aud")
        return [any(f"/{link.pk}/change/" in url for url in page.links()) for link in (live, trial)]

    assert listed() == [True, False]
    assert listed("?environment=sandbox") == [False, True]
    assert listed(f"?q={trial.pk}") == [False, True]
    switch(env, "sandbox", "aud")
    assert listed() == [False, True]
