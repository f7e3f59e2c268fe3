"""Belvo's widget and consent portal and Plaid's Link, as the simulator shows them, on a phone."""

import pytest
import requests
from playwright.sync_api import Page, expect

from linkadmin.integrations.connections import client_for
from linkadmin.links.models import Link
from linkadmin.providers.types import ReturnUrls
from linkadmin.simulator.plaid.api import ACCESS_TOKEN, CLIENT_ID, SECRET
from tests.environment import Environment

from .helpers import Windows, expect_no_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}
CONNECTED = "success"
LEFT = "exit"


def hosted_page(env: Environment, link: Link, windows: Windows) -> Page:
    """Open the page where a customer repairs a link, on a phone."""
    urls = ReturnUrls(f"{windows.url}/?{CONNECTED}", f"{windows.url}/?{LEFT}")
    page = windows.window("", viewport=PHONE)
    page.goto(client_for(link.integration).create_repair_url(link.ref, {"locale": "en"}, urls).url.reveal())
    return page


def test_widget_fits_a_phone_and_is_accessible(env: Environment, windows: Windows) -> None:
    page = hosted_page(env, env.belvo_link(bank="heimdall_mx_retail"), windows)
    expect_no_faults(page)

    page.get_by_label("Usuario").fill("maria")
    page.get_by_label("Contraseña").fill("pass_invalid")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Invalid credentials")
    expect_no_faults(page)

    page.get_by_label("Usuario").fill("maria")
    page.get_by_label("Contraseña").fill("mfa_qr")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("img", name="QR code from the bank")).to_be_visible()
    expect(page.get_by_label("One-time code")).to_be_focused()
    expect_no_faults(page)

    page.get_by_label("One-time code").fill("222222")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong or expired code")

    page.get_by_label("One-time code").fill("111111")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{windows.url}/**{CONNECTED}*")


def test_widget_leads_back_customers_who_leave(env: Environment, windows: Windows) -> None:
    page = hosted_page(env, env.belvo_link(), windows)

    page.get_by_role("button", name="Leave").click()

    page.wait_for_url(f"{windows.url}/**{LEFT}*")


def test_expired_widget_fits_a_phone_and_is_accessible(env: Environment, windows: Windows) -> None:
    page = hosted_page(env, env.belvo_link(), windows)
    windows.expect_status(410)
    env.clock.forward(600)

    page.reload()

    expect(page.get_by_role("heading", name="This page has expired")).to_be_visible()
    expect_no_faults(page)
    page.get_by_role("link", name="Go back").click()
    page.wait_for_url(f"{windows.url}/**{LEFT}*")


def test_consent_portal_fits_a_phone_and_is_accessible(env: Environment, windows: Windows) -> None:
    link = env.belvo_link(bank="ofmockbank_br_retail")
    link = Link.objects.select_related("institution", "integration", "end_user").get(pk=link.pk)
    page = hosted_page(env, link, windows)
    expect_no_faults(page)

    page.get_by_label("CPF", exact=True).fill(env.call_belvo("GET", "/api/consents/")["results"][0]["document_number"])
    page.get_by_role("button", name="Sign in").click()
    expect_no_faults(page)
    page.get_by_role("button", name="Continue at the bank").click()
    expect_no_faults(page)

    page.get_by_role("button", name="Withdraw consent").click()
    expect(page.get_by_role("status")).to_have_text("Consent withdrawn")
    page.get_by_role("button", name="Renew consent").click()
    expect(page.get_by_role("status")).to_have_text("Consent renewed")
    expect_no_faults(page)


def test_plaids_page_fits_a_phone_and_is_accessible(env: Environment, windows: Windows) -> None:
    link = env.heron_link()
    body = {
        "client_id": CLIENT_ID,
        "secret": SECRET,
        "access_token": f"{ACCESS_TOKEN}{link.remote_id}",
        "client_name": "Linkadmin",
        "language": "en",
        "country_codes": ["US"],
        "user": {"client_user_id": "repair-1"},
        "hosted_link": {"completion_redirect_uri": f"{windows.url}/?{LEFT}"},
    }
    made = requests.post(f"{env.simulator.url}/link/token/create", json=body, timeout=60).json()
    page = windows.window("", viewport=PHONE)

    page.goto(made["hosted_link_url"])
    expect_no_faults(page)

    page.get_by_role("button", name="Leave without signing in").click()
    page.wait_for_url(f"{windows.url}/**{LEFT}*")
