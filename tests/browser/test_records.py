"""Provider records appear without a reload, however slow the provider is."""

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from linkadmin import settings as product
from linkadmin.simulator.settings import SimulatorSettings
from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _pages_wait_no_longer_than_in_production(settings: Settings) -> None:
    settings.OPERATION_ANSWER_SECONDS = product.OPERATION_ANSWER_SECONDS


def test_slow_answer_takes_the_place_of_the_panel_without_a_reload(env: Environment, windows: Windows) -> None:
    link = env.belvo_link()
    env.simulator.configure(SimulatorSettings(latency=3000))
    page = windows.window()

    page.goto(f"/integrations/{env.belvo.pk}/records/links/")
    page.evaluate("window.notReloaded = true")

    expect(page.get_by_text("Contacting Belvo…")).to_be_visible()
    expect(page.get_by_role("table").get_by_text(link.remote_id)).to_be_visible()
    expect(page.get_by_text("Contacting Belvo…")).to_have_count(0)
    assert page.evaluate("window.notReloaded")
    assert len(env.calls("GET", "/api/links/")) == 1


def test_name_that_is_searched_for_stays_out_of_the_address(env: Environment, windows: Windows) -> None:
    env.simulator.configure(SimulatorSettings(latency=2500))
    page = windows.window()

    page.goto(f"/integrations/{env.heron.pk}/records/customers/")
    expect(page.get_by_text("The provider has no customers for this integration.")).to_be_visible()
    page.get_by_text("Filters").click()
    page.get_by_label("Name").fill("Wilhelmina")
    page.get_by_role("button", name="Search").click()

    expect(page.get_by_text("Contacting Heron…")).to_be_visible()
    expect(page.get_by_text("No matching records")).to_be_visible()
    assert "Wilhelmina" not in page.url


def test_all_works_without_script(env: Environment, windows: Windows) -> None:
    link = env.belvo_link()
    env.simulator.configure(SimulatorSettings(latency=2500))
    page = windows.window(java_script_enabled=False)

    page.goto(f"/integrations/{env.belvo.pk}/records/links/")
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Check now").click()

    expect(page.get_by_role("table").get_by_text(link.remote_id)).to_be_visible()
