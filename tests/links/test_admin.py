"""Records in the Django admin, as the auditor sees them: without names."""

import pytest

from linkadmin.audit import log
from linkadmin.operations.models import Operation
from linkadmin.providers.types import HealthState
from tests.environment import Environment
from tests.markup import Page

pytestmark = [pytest.mark.django_db, pytest.mark.database]

RECORDS = ["links/link", "links/enduser", "links/institution", "links/healthchange", "operations/operation"]


def opened_from(page: Page, record: str) -> list[str]:
    """URLs of the records in a list."""
    urls = [url.partition("?")[0] for url in page.links()]
    return [url for url in urls if url.startswith(f"/admin/{record}/") and url.endswith("/change/")]


@pytest.mark.parametrize("record", RECORDS)
def test_auditor_lists_and_opens_every_record_read_only(env: Environment, record: str) -> None:
    _a_repair(env)
    page = env.open(f"/admin/{record}/", "aud")
    one = opened_from(page, record)[0]

    opened = env.open(one, "aud")

    assert (page.status, opened.status) == (200, 200)
    assert env.client("aud").post(one, {"name": "x"}).status_code == 403
    assert env.client("aud").get(f"/admin/{record}/add/").status_code == 403
    assert env.client("aud").get(one.removesuffix("change/") + "delete/").status_code == 403


@pytest.mark.parametrize("record", RECORDS)
def test_auditor_sees_no_name_in_any_record(env: Environment, record: str) -> None:
    _a_repair(env)
    listed = env.open(f"/admin/{record}/", "aud")
    one = opened_from(listed, record)[0].removesuffix("change/")

    pages = [listed, env.open(f"{one}change/", "aud"), env.open(f"{one}history/", "aud")]

    for page in pages:
        assert page.status == 200
        assert "Wilhelmina" not in page.source
        assert "Quackenbush" not in page.source


@pytest.mark.parametrize("record", ["links/link", "links/healthchange"])
def test_statuses_have_the_names_that_pages_give_them(env: Environment, record: str) -> None:
    _a_repair(env)

    words = env.open(f"/admin/{record}/", "aud").words

    assert "Sign-in needed" in words
    assert not {state.value for state in HealthState if "_" in state.value} & set(words.split())


@pytest.mark.parametrize(
    ("record", "query"),
    [
        ("links/link", "q={link.remote_id}"),
        ("links/link", "q={link.end_user.external_id}"),
        ("links/link", "q={link.pk}"),
        ("links/enduser", "q={link.end_user.pk}"),
        ("operations/operation", "q={link.pk}"),
        ("links/link", "health__exact={link.health}"),
        ("links/enduser", "q={link.end_user.external_id}"),
        ("links/institution", "q=erebor_mx"),
        ("links/institution", "country__exact=MX"),
        ("links/healthchange", "new__exact={link.health}"),
        ("links/healthchange", "q={link.pk}"),
        ("operations/operation", "q={operation.request_id}"),
        ("operations/operation", "q={link.remote_id}"),
        ("operations/operation", "q={link.end_user.external_id}"),
        ("operations/operation", "q=ana"),
        ("operations/operation", "q={operation.pk}"),
        ("operations/operation", "state__exact=rejected"),
        ("audit/auditevent", "q={link.pk}"),
        ("audit/auditevent", "q={operation.pk}"),
        ("integrations/integration", "q=Belvo"),
    ],
)
def test_records_are_searched_and_filtered(env: Environment, record: str, query: str) -> None:
    operation = _a_repair(env)

    page = env.open(f"/admin/{record}/?{query.format(link=operation.link, operation=operation)}", "aud")

    assert page.status == 200
    assert opened_from(page, record)


@pytest.mark.parametrize("query", ["name__startswith=Wil", "name=Wilhelmina+Quackenbush", "name__gt=A"])
@pytest.mark.parametrize("record", ["links/enduser", "links/link", "operations/operation"])
def test_auditor_cannot_find_names_by_searching(env: Environment, record: str, query: str) -> None:
    _a_repair(env)
    through = "" if record == "links/enduser" else "end_user__"

    assert env.client("aud").get(f"/admin/{record}/?{through}{query}").status_code == 400


def test_auditor_does_not_see_search_text(env: Environment) -> None:
    _a_repair(env)

    assert env.client("aud").get("/admin/links/link/?search__text__contains=wil").status_code == 400


def test_administrator_opens_no_customers_records(env: Environment) -> None:
    for record in ("links/link", "links/enduser", "operations/operation", "links/healthchange", "audit/auditevent"):
        assert env.client("adm").get(f"/admin/{record}/").status_code == 403


def _a_repair(env: Environment) -> Operation:
    """A rejected repair of a customer with a recognizable name."""
    link = env.belvo_link("Wilhelmina Quackenbush")
    operation = Operation.objects.create(
        kind="update_credentials",
        state="rejected",
        integration=link.integration,
        institution=link.institution,
        link=link,
        end_user=link.end_user,
        actor=env.people["ana"],
        operation_key="6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a",
        request_id="0123456789abcdef0123456789abcdef",
    )
    log.record(
        actor=env.people["ana"],
        action="operation.update_credentials",
        object_type="link",
        object_id=link.pk,
        outcome="rejected",
        operation_id=operation.pk,
    )
    return operation
