"""What every request passes before any view."""

import pytest
from django.test import Client

from tests.environment import Environment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "/links/?state=customer%00",
        "/links/?after=%00",
        "/links/%00/",
        "/customers/?after=%00",
        "/admin/links/enduser/?external_id=%00",
        "/admin/links/link/?q=a%00b",
        "/admin/links/link/?%00=1",
        "/admin/links/link/%00/change/",
    ],
)
def test_url_with_a_nul_is_a_bad_request(env: Environment, address: str) -> None:
    answer = env.client("aud").get(address)

    assert answer.status_code == 400
    assert answer["X-Request-Id"]


def test_url_with_a_nul_is_rejected_without_a_session_too() -> None:
    assert Client().get("/accounts/login/?next=%00").status_code == 400


def test_search_ignores_a_nul(env: Environment) -> None:
    assert env.client().get("/links/?other=%2500").status_code == 200
