"""Both kinds of empty lists: nothing exists yet, with the step that starts it, and nothing matches, with a way back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.urls import URLPattern, get_resolver

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Institution
from tests.bulk.helpers import completed, started_job
from tests.environment import Environment

pytestmark = pytest.mark.django_db

SUPPORT, ADMINISTRATOR = "ana", "adm"


@dataclass(frozen=True)
class Nothing:
    """What a list says before anything exists, and the step it offers, if this person can do something about it."""

    view: str
    url: Callable[[Environment], str]
    words: str
    step: str = ""
    person: str = SUPPORT


@dataclass(frozen=True)
class NoMatch:
    view: str
    url: Callable[[Environment], str]
    words: str
    search: str = ""  # typed into its search box
    person: str = SUPPORT


def at(url: str) -> Callable[[Environment], str]:
    return lambda _env: url


def full_checks(env: Environment) -> str:
    return f"/integrations/{env.heron.pk}/full-checks/"


def history(env: Environment) -> str:
    link = env.belvo_link()
    link.changes.all().delete()
    return f"{link.get_absolute_url()}history/"


def job(env: Environment) -> str:
    return f"{completed(started_job(env, 'refresh', [env.belvo_link()])).get_absolute_url()}?state=failed"


def without_integrations(_env: Environment) -> str:
    Institution.objects.all().delete()
    Integration.objects.all().delete()
    return "/integrations/"


def without_institutions(_env: Environment) -> str:
    Institution.objects.all().delete()
    return "/institutions/"


NOTHING = [
    Nothing("link-list", at("/links/"), "No links yet", "New link"),
    Nothing("link-history", history, "Nothing has happened yet"),
    Nothing("end-user-list", at("/customers/?sort=name"), "No customers yet", "New link"),
    Nothing("end-user-list", at("/customers/"), "No customers with links yet", "Sort by name"),
    Nothing("institution-list", without_institutions, "No institutions yet", "Look up institution"),
    Nothing("institution-list", without_institutions, "No institutions yet", "Refresh institution list", ADMINISTRATOR),
    Nothing("operation-list", at("/operations/"), "No changes yet", "New link"),
    Nothing("delivery-list", at("/deliveries/"), "No deliveries yet"),
    Nothing("delivery-list", at("/deliveries/"), "No deliveries yet", "Go to integrations", ADMINISTRATOR),
    Nothing("bulk-list", at("/bulk/"), "You haven't started a job yet", "Go to links"),
    Nothing("integration-list", without_integrations, "No integrations yet", "Add integration", ADMINISTRATOR),
    Nothing("integration-list", without_integrations, "No integrations yet", person="mia"),
    Nothing("integration-full-checks", full_checks, "No full checks yet", "Run full check", ADMINISTRATOR),
    Nothing("unrecognized-values", at("/unrecognized-values/"), "No unrecognized values"),
]
NO_MATCH = [
    NoMatch("link-list", at("/links/?state=setting_up"), "No matching links"),
    NoMatch("link-list", at("/links/"), "No matching links", search="nobody-has-this-name"),
    NoMatch("link-history", lambda env: f"{history(env)}?kind=note", "No matching entries"),
    NoMatch("end-user-list", at("/customers/?manager=mine"), "No matching customers", person="mia"),
    NoMatch("end-user-list", at("/customers/"), "No matching customers", search="nobody-has-this-name"),
    NoMatch("institution-list", at("/institutions/?q=nobody-has-this-name"), "No matching institutions"),
    NoMatch("operation-list", at("/operations/?within=24h"), "No matching changes"),
    NoMatch("operation-list", at("/operations/?outcome=denied"), "No matching changes"),
    NoMatch("delivery-list", at("/deliveries/?outcome=open"), "No matching deliveries"),
    NoMatch("delivery-list", at("/deliveries/"), "No matching deliveries", search="nobody-has-this-name"),
    NoMatch("bulk-detail", job, "No matching links"),
]
WITHOUT_FILTERS = {"bulk-list", "integration-list", "integration-full-checks", "unrecognized-values"}
NEVER_EMPTY = {"bulk-detail"}  # a job has links


@pytest.mark.parametrize("case", NOTHING, ids=lambda case: f"{case.view}-{case.person}")
def test_list_without_anything_says_so_and_offers_the_first_step(env: Environment, case: Nothing) -> None:
    page = env.open(case.url(env), case.person)

    assert case.words in page.words
    assert case.step in page.words
    assert "Clear filters" not in page.words
    assert "Sort:" not in page.words


@pytest.mark.parametrize("case", NO_MATCH, ids=lambda case: f"{case.view}-{case.search or 'filtered'}")
def test_list_without_a_match_says_so_and_offers_to_clear_its_filters(env: Environment, case: NoMatch) -> None:
    url = case.url(env)

    page = env.post(url, {"q": case.search}, case.person) if case.search else env.open(url, case.person)

    assert case.words in page.words
    assert "Clear filters" in page.words
    assert not any(each.words in page.words for each in NOTHING if each.view == case.view)


def test_every_list_that_can_be_exported_is_tested_here() -> None:
    lists = set(_lists(get_resolver().url_patterns))
    assert lists
    assert lists - NEVER_EMPTY <= {case.view for case in NOTHING}
    assert lists - WITHOUT_FILTERS <= {case.view for case in NO_MATCH}


def _lists(patterns: object) -> Iterator[str]:
    for each in patterns:  # type: ignore[attr-defined]
        if not isinstance(each, URLPattern):
            yield from _lists(each.url_patterns)
        elif each.name and each.name.endswith("-export"):
            yield each.name.removesuffix("-export")
