"""Names of customers, institutions and staff: cleaned on entry, isolated on pages, found in any spelling."""

import re

import pytest
from django.test import RequestFactory
from django.utils.html import escape

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.integrations.models import Integration
from linkadmin.links import staff_work
from linkadmin.links.models import EndUser, Institution, Link, LinkSearch, Note
from linkadmin.links.views.access import link_for
from linkadmin.providers.names import clean_name, clean_text, folded, is_customer_id, isolated
from linkadmin.sync.full_checks.discovery import ensure_customers
from tests.environment import Environment

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

RTL = "\u05d0\u05d1"  # right-to-left text, which reorders the text around it


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Acme \u202eelpmaxe", "Acme elpmaxe"),
        ("Acme\u200e \u2066Ltd\u2069", "Acme Ltd"),
        ("Acme\u061c\u0007\u0085 Ltd", "Acme Ltd"),
        ("Acme\tLtd\r\n", "Acme Ltd"),
        ("Sa\u0303o Joa\u0303o", "São João"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f469\u200d\U0001f4bb Ltd", "\U0001f469\u200d\U0001f4bb Ltd"),
        ("  Acme  ", "Acme"),
    ],
)
def test_name_is_cleaned_whichever_way_it_comes_in(env: Environment, typed: str, kept: str) -> None:
    values = {"end_user_id": "cus-1", "end_user_name": typed, "access_token": "access-1", "item_id": "item-1"}
    env.send(env.new_link_url(), **values)
    ensure_customers({"cus-2": typed})
    EndUser.objects.filter(external_id="cus-2").update(name=typed)
    bank = Institution.objects.create(integration=env.belvo, name="b", display_name=typed)
    user = User.objects.create_user(username="new", password="a password for tests", roles=Role.SUPPORT, name=typed)

    assert set(EndUser.objects.values_list("name", flat=True)) == {kept}
    assert (bank.display_name, Institution.objects.get(pk=bank.pk).display_name) == (kept, kept)
    assert (user.name, User.objects.get(pk=user.pk).name) == (kept, kept)
    assert clean_name(typed) == kept


def test_name_of_only_direction_marks_is_empty(env: Environment) -> None:
    values = {"end_user_id": "cus-1", "end_user_name": "\u202e \u200f", "access_token": "access-1", "item_id": "item-1"}

    answer = env.send(env.new_link_url(), **values)

    assert answer.status == 422
    assert "No customer has this ID yet" in answer.error_at("end_user_name")


def test_note_keeps_its_lines_and_loses_its_marks(env: Environment) -> None:
    link = env.heron_link()

    staff_work.add_note(link, by=env.people["ana"], text="first \u202eline\r\nsecond\u0007")

    assert Note.objects.get().text == "first line\nsecond" == clean_text("first \u202eline\r\nsecond\u0007")


def test_id_is_kept_byte_for_byte() -> None:
    for typed in ("\u202eid", "e\u0301", " a ", "A", "a" * 140):
        EndUser.objects.create(external_id=typed)
        assert EndUser.objects.get(external_id=typed).external_id == typed
    assert not any(map(is_customer_id, ["", "a" * 141, "\0", "\ud800", None, 7]))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("itaú", "ITAÚ UNIBANCO S.A."),
        ("ITAU", "ITAÚ UNIBANCO S.A."),
        ("ñandú", "Crédito y Ahorro Ñandú"),
        ("CRÉDITO", "Crédito y Ahorro Ñandú"),
        ("PADARIA SÃO", "Padaria São João"),
        ("sao joao", "Padaria São João"),
        ("sa\u0303o", "Padaria São João"),
        ("STRASSE", "Bäckerei Straße"),
        ("straße", "BÄCKEREI STRASSE"),
        ("lodz", "Bank Łódź"),
        ("ｓãｏ", "Padaria São João"),
    ],
)
def test_name_is_found_regardless_of_case_and_accents(env: Environment, words: str, name: str) -> None:
    of_customer, of_bank = env.heron_link(name, item_id="item-1"), env.heron_link(item_id="item-2", bank=name)
    other = env.heron_link("Somebody Else", item_id="item-3", bank="Elsewhere")

    found = env.post("/links/", {"q": words}).source
    assert str(of_customer.pk) in found
    assert str(of_bank.pk) in found
    assert str(other.pk) not in found
    customers = env.post("/customers/", {"q": words}).source
    assert str(of_customer.end_user_id) in customers
    assert str(other.end_user_id) not in customers
    banks = env.client().get("/institutions/", {"q": words}).content.decode()
    assert str(of_bank.institution_id) in banks
    assert str(other.institution_id) not in banks


def test_search_text_is_folded_with_the_name(env: Environment) -> None:
    customer = env.customer("Ñandú")
    assert EndUser.objects.get().search == f"nandu {customer.external_id}"

    customer.name = "Itaú"
    customer.save()

    assert EndUser.objects.get().search == f"itau {customer.external_id}"
    assert folded("İĞ") == "ig"


def test_every_id_of_a_new_link_can_be_found(env: Environment) -> None:
    values = {"end_user_id": "cus 1", "end_user_name": "New", "access_token": "access-1", "item_id": "ITEM-1"}
    env.send(env.new_link_url(), **values)
    link = Link.objects.get()

    text = LinkSearch.objects.get(link=link).text
    for each in ("cus 1", "item-1", link.data_source_id, str(link.pk)):
        assert each in text


def named(env: Environment) -> tuple[Link, list[str]]:
    """A link whose names are all right-to-left, and these names."""
    names = {kind: f"{kind} {RTL}" for kind in ("Customer", "Bank", "Integration", "Staff")}
    env.people["ana"].name = names["Staff"]
    env.people["ana"].save()
    Integration.objects.filter(pk=env.belvo.pk).update(name=names["Integration"])
    env.belvo.refresh_from_db()
    link = env.belvo_link(names["Customer"])
    link.end_user.external_id = f"id {RTL}"
    link.end_user.save()
    Institution.objects.filter(pk=link.institution_id).update(display_name=names["Bank"])
    Link.objects.filter(pk=link.pk).update(assignee=env.people["ana"], remote_end_user_id=f"id of another {RTL}")
    staff_work.add_note(link, by=env.people["ana"], text=f"A note {RTL}")
    return link, [*names.values(), f"id {RTL}", f"id of another {RTL}", f"A note {RTL}"]


def test_names_are_isolated_everywhere(env: Environment) -> None:
    link, names = named(env)
    bank = link.institution
    assert bank is not None
    of_link = (
        "",
        "history/",
        "credentials/",
        "settings/",
        "fetch/",
        "delete/",
        "repair-request/",
        "notes/",
        "records/",
    )
    urls = [f"/links/{link.pk}/{page}" for page in of_link]
    urls += [link.end_user.get_absolute_url(), bank.get_absolute_url(), env.belvo.get_absolute_url()]
    urls += ["/", "/links/", "/customers/", "/institutions/", "/integrations/", "/bulk/", "/deliveries/"]
    urls += [f"{env.belvo.get_absolute_url()}full-checks/", f"/links/?institution={bank.pk}"]
    urls += ["/links/new/", f"/links/new/?integration={env.belvo.pk}", env.new_link_url("erebor_mx_retail")]
    shown: set[str] = set()
    for url in urls:
        page = env.open(url, "mia" if url.startswith("/integrations/") else "ana")
        assert page.status == 200, url
        for name in names:
            shown |= {name} if escape(name) in page.source else set()
            assert not bare(page.source, escape(name)), f"{name} at {url}"
    assert shown == set(names)


def bare(source: str, name: str) -> list[str]:
    """Occurrences of a name on a page without direction isolation."""
    found = []
    for match in re.finditer(re.escape(name), source):
        before = source[: match.start()]
        inside = re.search(r"<bdi\b[^>]*>[^<]*$", before) or before.endswith("\N{FIRST STRONG ISOLATE}")
        as_value = re.search(r'\b(?:value|data-[a-z-]+)="[^"]*$', before)  # machine-readable, or alone in its field
        alone = re.search(r"<(?:option|textarea|script)\b[^>]*>[^<]*$", before)
        if not (inside or as_value or alone):
            found.append(before[-120:] + match[0])
    return found


def test_isolated_name_in_text_without_markup() -> None:
    assert isolated("Acme") == "\u2068Acme\u2069"
    assert isolated("") == ""


def test_customer_is_masked_unless_the_reader_is_known_to_see_names() -> None:
    named, unnamed = EndUser(name="Acme Corp", external_id="cus-1"), EndUser(external_id="cus-1")

    assert [str(each) for each in (named, unnamed)] == ["A••• C•••", "cus-1"]  # an ID is no name
    assert [each.called(see_names=False) for each in (named, unnamed)] == ["A••• C•••", "cus-1"]
    assert [each.called(see_names=True) for each in (named, unnamed)] == ["Acme Corp", "cus-1"]


@pytest.mark.parametrize(("reader", "title"), [("ana", "Acme Corp · Erebor"), ("aud", "A••• C••• · Erebor")])
def test_link_pages_name_customer_and_institution(env: Environment, reader: str, title: str) -> None:
    link = env.belvo_link("Acme Corp")
    Institution.objects.filter(pk=link.institution_id).update(display_name="Erebor")

    for page in ("", "history/"):
        assert title in env.open(f"{link.get_absolute_url()}{page}", reader).words, page


def test_masking_leaves_the_link_as_it_is(env: Environment, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = env.people["aud"]

    assert link_for(request, env.belvo_link("Acme Corp").pk).end_user.name == "Acme Corp"
