"""One URL for a page and its part, and what htmx is told to do next."""

import pytest

from linkadmin.links.models import Link
from tests.environment import HTMX, Environment
from tests.markup import read

pytestmark = pytest.mark.django_db(transaction=True)

WHOLE = [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}]


def credentials(link: Link) -> str:
    return f"/links/{link.pk}/credentials/"


def test_invalid_form_is_returned_alone(env: Environment) -> None:
    page = env.send(credentials(env.belvo_link()), htmx=True, password="")

    assert page.status == 422
    assert not page.is_whole
    assert page.source.strip().startswith('<div class="stack"')
    assert page.source.count('id="credentials"') == 1


def test_rejection_by_the_bank_is_returned_alone(env: Environment) -> None:
    page = env.send(credentials(env.belvo_link()), htmx=True, password="pass_invalid")

    assert (page.status, page.is_whole) == (422, False)
    assert "Wrong password" in page.words


def test_conflict_is_returned_alone(env: Environment) -> None:
    existing = env.heron_link()
    typed = {"end_user_id": existing.end_user.external_id, "item_id": "item-1", "access_token": "access-sandbox"}

    page = env.send(env.new_link_url(), htmx=True, **typed)

    assert (page.status, page.is_whole) == (409, False)


@pytest.mark.parametrize(("password", "leads_to"), [("pass_valid", "/links/{}/"), ("pass_mfa", "/links/{}/code/")])
def test_success_redirects_within_the_site(env: Environment, password: str, leads_to: str) -> None:
    link = env.belvo_link()

    answer = env.send(credentials(link), htmx=True, password=password)

    assert (answer.status, answer.headers["hx-redirect"]) == (200, leads_to.format(link.pk))


@pytest.mark.parametrize("more", WHOLE)
@pytest.mark.parametrize(
    "address", ["/links/", "/customers/", "/links/{link}/credentials/", "/links/new/?integration={heron}"]
)
def test_boosted_request_gets_the_whole_page(env: Environment, address: str, more: dict[str, str]) -> None:
    url = address.format(link=env.belvo_link().pk, heron=env.heron.pk)

    page = read(env.client().get(url, headers=HTMX | more))

    assert page.is_whole


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("/links/", "results"),
        ("/customers/", "results"),
        ("/links/{link}/credentials/", "credentials"),
        ("/links/new/?integration={heron}", "new-link"),
        ("/links/new/institutions/?integration={belvo}", "institutions"),
    ],
)
def test_page_includes_the_very_part_that_htmx_gets(env: Environment, address: str, part: str) -> None:
    url = address.format(link=env.belvo_link().pk, heron=env.heron.pk, belvo=env.belvo.pk)

    alone, whole = read(env.client().get(url, headers=HTMX)), env.open(url)

    assert not alone.is_whole
    assert next(each.attrs["id"] for each in alone.elements if "id" in each.attrs) == part
    assert part in {each.attrs.get("id") for each in whole.elements}


def test_responses_vary_by_htmx_header(env: Environment) -> None:
    answer = env.client().get("/links/")

    assert "HX-Request" in answer["Vary"]
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "address", ["/links/{link}/credentials/", "/links/{link}/code/", "/links/new/?integration={heron}"]
)
def test_page_with_secrets_is_not_cached(env: Environment, address: str) -> None:
    link = env.belvo_link()
    if "/code/" in address:
        env.send(credentials(link), password="pass_mfa")

    answer = env.client().get(address.format(link=link.pk, heron=env.heron.pk))

    assert "no-store" in answer["Cache-Control"]


def test_every_form_with_secrets_disables_autocomplete(env: Environment) -> None:
    page = env.open(credentials(env.belvo_link(bank="ironbank_br_retail")))

    (form,) = [form for form in page.forms if "password" in form.names]
    assert form.attrs["autocomplete"] == "off"
    typed = [
        attrs
        for name, attrs in page.inputs().items()
        if name in {"password", "password2", "token", "code", "encryption_key"}
    ]
    assert {attrs["autocomplete"] for attrs in typed} == {"off"}
    assert not [attrs for attrs in typed if attrs.get("value")]
