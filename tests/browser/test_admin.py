"""Django admin: buttons side by side look alike."""

import pytest
from django.urls import reverse

from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_buttons_above_a_member_of_staff_look_alike(env: Environment, windows: Windows) -> None:
    page = windows.window("adm")
    page.goto(reverse("admin:accounts_user_change", args=[env.people["ana"].pk]))
    ends, history = page.get_by_role("button", name="End all sessions"), page.get_by_role("link", name="History")

    looks = [
        each.evaluate(
            """element => {
              const look = getComputedStyle(element), box = element.getBoundingClientRect();
              return [box.height, box.top, look.backgroundColor, look.color, look.fontSize, look.fontWeight,
                look.borderRadius, look.paddingInline];
            }"""
        )
        for each in (ends, history)
    ]

    assert looks[0] == looks[1]
