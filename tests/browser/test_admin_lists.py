"""Tables of the Django admin on a phone: a row is a few lines, each with its column's name."""

import pytest
from playwright.sync_api import expect

from tests.environment import Environment

from .helpers import Windows, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "is_labeled"), [(360, True), (1280, False)])
def test_columns_are_lines_on_a_phone(env: Environment, windows: Windows, width: int, is_labeled: bool) -> None:
    env.belvo_link()
    page = windows.window("aud", viewport={"width": width, "height": 800})

    page.goto("/admin/links/link/")

    label, results = page.locator("#result_list td.label", has_text="Last successful sync"), page.locator(".results")
    expect(label).to_be_visible(visible=is_labeled)
    assert results.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    assert overflow(page) <= 0
