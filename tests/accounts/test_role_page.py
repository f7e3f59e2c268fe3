"""The page that says who may what."""

import re
from http import HTTPStatus

import pytest

from linkadmin.accounts.roles import MATRIX, Right, Role
from tests.environment import Environment
from tests.markup import Page

pytestmark = pytest.mark.django_db

CELL = re.compile(r'<td data-label="([^"]+)">(.*?)</td>', re.DOTALL)


def answers(page: Page) -> dict[str, dict[str, str]]:
    """By action, each role's answer."""
    rows = re.findall(r"<tr>\s*<td>(.*?)</td>(.*?)</tr>", page.source, re.DOTALL)
    return {
        action: {role: re.sub(r"<.*?>", "", answer).strip() for role, answer in CELL.findall(cells)}
        for action, cells in rows
    }


@pytest.mark.parametrize("name", ["aud", "adm"])
def test_page_shows_every_right_of_every_role(env: Environment, name: str) -> None:
    shown = answers(env.open("/staff/roles/", name))

    assert list(shown) == [str(right.label).replace("'", "&#x27;") for right in Right]
    for right, got in zip(Right, shown.values(), strict=True):
        granted = {str(role.label) for role in Role if right in MATRIX[role]}
        assert {role for role, answer in got.items() if answer not in ("No", "Masked")} == granted
        assert set(got) == {str(role.label) for role in Role}


def test_auditors_see_names_masked(env: Environment) -> None:
    shown = answers(env.open("/staff/roles/", "aud"))

    assert shown["See customers&#x27; names"] == {
        "Support": "Yes",
        "Account manager": "Yes",
        "Auditor": "Masked",
        "Administrator": "No",
    }


def test_page_says_before_what_people_confirm_it_is_them(env: Environment) -> None:
    shown = answers(env.open("/staff/roles/?role=support", "adm"))

    assert shown["Create links"] == {"Support": "After confirming"}
    assert shown["View customers"] == {"Support": "Yes"}


def test_one_role_at_a_time(env: Environment) -> None:
    shown = answers(env.open("/staff/roles/?role=auditor", "adm"))

    assert {role for got in shown.values() for role in got} == {"Auditor"}
    assert env.open("/staff/roles/?role=king", "adm").status == HTTPStatus.BAD_REQUEST


def test_staff_list_links_to_it(env: Environment) -> None:
    assert "/staff/roles/" in env.open("/staff/", "aud").links()
