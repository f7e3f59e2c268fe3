"""Django admin pages fit a phone's width, and buttons side by side look alike."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize

from linkadmin.integrations.models import Integration
from tests.environment import Environment

from .helpers import Windows, overflow
from .tour import pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE: ViewportSize = {"width": 360, "height": 740}


def addresses(env: Environment) -> Iterator[tuple[str, str]]:
    """Yield (username, page) for each model: the auditor views it, the administrator edits it."""
    yield "adm", reverse("admin:index")
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        who = "adm" if model in (env.people["adm"].__class__, Integration) else "aud"
        yield who, reverse(f"{name}_changelist")
        row = model._default_manager.first()
        if row is not None:
            yield who, reverse(f"{name}_change", args=[row.pk])
            yield who, reverse(f"{name}_history", args=[row.pk])
        if who == "adm":
            yield who, reverse(f"{name}_add")
    yield "adm", reverse("admin:auth_user_password_change", args=[env.people["ana"].pk])


@pytest.mark.thorough
def test_every_page_of_the_admin_fits_a_phone(env: Environment, windows: Windows) -> None:
    pages(env)  # data in every table
    open_pages: dict[str, Page] = {who: windows.window(who, viewport=PHONE) for who in ("adm", "aud")}
    wide: dict[str, int] = {}
    for who, address in addresses(env):
        answer = open_pages[who].goto(address)
        assert answer is not None
        assert answer.ok, address
        if (pixels := overflow(open_pages[who])) > 0:
            wide[address] = pixels

    assert wide == {}


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
