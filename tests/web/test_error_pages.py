"""Error pages keep navigation and search for those who are signed in."""

import pytest

from linkadmin.accounts import context
from linkadmin.web import probes
from tests.environment import Environment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("url", "status"), [("/nowhere/", 404), ("/status/", 403), ("/links/?state=x", 400)])
def test_error_page_keeps_navigation_and_search(env: Environment, url: str, status: int) -> None:
    page = env.open(url)

    assert page.status == status
    assert "/customers/" in page.links()
    assert "q" in page.inputs()


def test_server_error_keeps_navigation_and_search(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_parts", broken)
    env.client("adm").raise_request_exception = False

    page = env.open("/status/", "adm")

    assert page.status == 500
    assert "Something went wrong on our side" in page.words
    assert "/integrations/" in page.links()


def test_server_error_that_breaks_the_frame_too_is_shown_without(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_parts", broken)
    monkeypatch.setattr(context, "_initials", broken)
    env.client("adm").raise_request_exception = False

    page = env.open("/status/", "adm")

    assert page.status == 500
    assert "Something went wrong on our side" in page.words
    assert page.inputs() == {}


def test_error_page_of_a_visitor_has_no_navigation(env: Environment) -> None:
    env.client().logout()

    page = env.open("/nowhere/")

    assert page.status == 404
    assert "/customers/" not in page.links()
    assert page.inputs() == {}


def broken(*_args: object) -> None:
    raise RuntimeError
