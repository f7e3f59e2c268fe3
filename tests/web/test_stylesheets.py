"""Pages load the stylesheets that style them."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.environment import Environment
from tests.markup import Page

pytestmark = pytest.mark.django_db

LISTS = {
    "mia": ("/", "/links/", "/customers/", "/institutions/", "/operations/", "/bulk/"),
    "adm": ("/deliveries/", "/staff/", "/integrations/", "/unrecognized-values/", "/status/"),
}


def classes_in(*names: str) -> set[str]:
    """Classes that these stylesheets mention."""
    texts = [Path(settings.BASE_DIR, "static", "css", f"{name}.css").read_text() for name in names]
    return set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/", "", "".join(texts), flags=re.DOTALL)))


def classes_of(page: Page) -> set[str]:
    return {name for each in page.elements for name in each.attrs.get("class", "").split()}


@pytest.mark.parametrize("name", LISTS)
def test_lists_and_the_overview_need_no_styles_of_other_pages(env: Environment, name: str) -> None:
    env.belvo_link()
    only_in_details = classes_in("details") - classes_in("app", "overview")
    pages = [env.open(path, name) for path in LISTS[name]]

    assert {page.status for page in pages} == {200}
    assert not [page for page in pages if "css/details.css" in page.source]
    assert set().union(*map(classes_of, pages)) & only_in_details == set()


def test_other_pages_load_them(env: Environment) -> None:
    page = env.open(f"/links/{env.belvo_link().pk}/")

    assert "css/details.css" in page.source
    assert classes_of(page) & (classes_in("details") - classes_in("app"))
