"""Sign-in attempts: how many a bank gets before it locks the account."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.links.models import Link
from linkadmin.operations.budget import allow_attempt
from linkadmin.operations.models import Operation
from tests.environment import Environment
from tests.markup import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

KEYS = {"operation_key": "6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a"}


def refuse(env: Environment, link: Link, times: int = 1) -> Page:
    pages = [env.send(f"/links/{link.pk}/credentials/", password="pass_invalid") for _each in range(times)]
    return pages[-1]


def allow(env: Environment, link: Link, reason: str = "The customer is sure of the new password.") -> Page:
    return env.send(f"/links/{link.pk}/attempt/", "mia", reason=reason)


def send_unasked(env: Environment, link: Link) -> Page:
    """Post the form although the page no longer offers it."""
    return env.post(f"/links/{link.pk}/credentials/", KEYS | {"password": "pass_valid"})


def test_page_says_how_many_attempts_are_left(env: Environment) -> None:
    link = env.belvo_link()
    assert "2 attempts left today" in env.open(f"/links/{link.pk}/credentials/").words

    page = refuse(env, link)

    assert "1 attempt left today" in page.words


def test_two_rejections_use_up_the_attempts(env: Environment) -> None:
    link = env.belvo_link()

    page = refuse(env, link, times=2)

    assert "No attempts left today" in page.words
    assert "password" not in page.inputs()
    blocked = send_unasked(env, link)
    assert blocked.status == 409
    assert len(env.calls("PUT")) == 2


def test_nobody_allows_themselves_one_more(env: Environment) -> None:
    link, mia = env.belvo_link(), User.objects.filter(username="mia")
    mia.update(roles="manager,support")
    env.client("mia").force_login(mia.get())
    for _each in range(2):
        env.send(f"/links/{link.pk}/credentials/", "mia", password="pass_invalid")

    allow(env, link)

    assert "somebody else has to allow one more" in env.open(link.get_absolute_url(), "mia").words
    assert "No attempts left today" in env.open(f"/links/{link.pk}/credentials/", "mia").words


def test_links_page_offers_the_manager_to_allow_one_more(env: Environment) -> None:
    link = env.belvo_link()
    refuse(env, link, times=2)

    assert f"/links/{link.pk}/attempt/" in env.open(link.get_absolute_url(), "mia").links()
    page = env.open(link.get_absolute_url(), "ana")
    assert f"/links/{link.pk}/attempt/" not in page.links()
    assert "The bank rejected too many attempts today." in page.words


def test_manager_allows_one_more_with_a_reason(env: Environment) -> None:
    link = env.belvo_link()
    refuse(env, link, times=2)

    answer = allow(env, link)

    assert (answer.status, answer.location) == (303, link.get_absolute_url())
    assert link.allowances.get().reason == "The customer is sure of the new password."
    assert env.send(f"/links/{link.pk}/credentials/", password="pass_valid").status == 303


def test_allowing_needs_a_reason(env: Environment) -> None:
    link = env.belvo_link()
    refuse(env, link, times=2)

    page = allow(env, link, reason=" ")

    assert page.status == 422
    assert page.error_at("reason") == "This field is required."
    assert not link.allowances.exists()


def test_nobody_can_allow_a_fourth_attempt(env: Environment) -> None:
    link = env.belvo_link()
    refuse(env, link, times=2)
    allow(env, link)
    refuse(env, link)

    page = env.open(f"/links/{link.pk}/attempt/", "mia")

    assert "You don't need to allow an attempt" in page.words
    assert send_unasked(env, link).status == 409
    assert len(env.calls("PUT")) == 3


def test_attempt_is_not_allowed_before_it_is_needed(env: Environment) -> None:
    link = env.belvo_link()

    answer = env.post(f"/links/{link.pk}/attempt/", {"reason": "just in case"}, "mia")

    assert answer.location == link.get_absolute_url()
    assert not link.allowances.exists()


def test_success_resets_the_count(env: Environment) -> None:
    link = env.belvo_link()
    refuse(env, link)
    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")

    page = refuse(env, link)

    assert "1 attempt left today" in page.words


def test_count_resets_after_a_day(env: Environment) -> None:
    link = env.belvo_link()
    refuse(env, link, times=2)
    Operation.objects.update(finished_at=timezone.now() - timedelta(hours=24, seconds=1))

    page = env.open(f"/links/{link.pk}/credentials/")

    assert "2 attempts left today" in page.words


def test_wrong_code_counts_as_an_attempt(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")

    env.send(f"/links/{link.pk}/code/", code="999999")

    env.post(f"/links/{link.pk}/code/withdraw/")
    assert "1 attempt left today" in env.open(f"/links/{link.pk}/credentials/").words


def second_link(env: Environment, first: Link) -> Link:
    link = env.belvo_link()
    Link.objects.filter(pk=link.pk).update(end_user=first.end_user)
    link.refresh_from_db()
    return link


def create_at_same_bank(env: Environment, link: Link, password: str = "pass_invalid") -> Page:
    typed = {"end_user_id": link.end_user.external_id, "username": "another", "password": password}
    url = env.new_link_url("erebor_mx_retail")
    form = env.open(url).form_with("password")
    return env.post(url, form.values | typed | {"second_link": "on"})


def test_rejections_are_counted_across_all_links_of_a_customer_at_a_bank(env: Environment) -> None:
    first = env.belvo_link()
    second = second_link(env, first)
    refuse(env, first)
    refuse(env, second)

    assert "No attempts left today" in env.open(f"/links/{first.pk}/credentials/").words
    assert send_unasked(env, second).status == 409
    assert len(env.calls("PUT")) == 2


def test_rejected_creation_and_repair_share_a_count(env: Environment) -> None:
    link = env.belvo_link()
    assert "1 attempt left today" in create_at_same_bank(env, link).words
    assert "1 attempt left today" in env.open(f"/links/{link.pk}/credentials/").words
    refuse(env, link)

    page = create_at_same_bank(env, link, "pass_valid")

    assert page.status == 409
    assert page.words.count("No attempts left today") == 1
    assert "An account manager can allow one more." in page.words
    assert f"/links/{link.pk}/repair-request/" in page.links()
    assert len(env.calls("POST", "/api/links/")) == 1


def test_another_customer_or_bank_has_its_own_count(env: Environment) -> None:
    link = env.belvo_link()
    refuse(env, link, times=2)
    elsewhere = env.belvo_link(bank="gotham_mx_business")
    Link.objects.filter(pk=elsewhere.pk).update(end_user=link.end_user)

    for other in (env.belvo_link(), elsewhere):
        assert "2 attempts left today" in env.open(f"/links/{other.pk}/credentials/").words


def test_allowance_on_one_link_is_for_the_bank(env: Environment) -> None:
    first = env.belvo_link()
    second = second_link(env, first)
    refuse(env, first, times=2)

    allow(env, first)

    assert "1 attempt left today" in env.open(f"/links/{second.pk}/credentials/").words


def test_manager_can_allow_a_third_attempt_to_create_a_first_link(env: Environment) -> None:
    values = {"end_user_id": "cus-1", "end_user_name": "Ivy Long", "username": "ivy", "password": "pass_invalid"}
    for _each in range(2):
        env.send(env.new_link_url("erebor_mx_retail"), **values)
    refused = env.last_operation()
    assert env.send(env.new_link_url("erebor_mx_retail"), **values).status == 409

    page = env.open(refused.get_absolute_url(), "mia")
    assert page.words.count("No attempts left today") == 1
    assert f"/operations/{refused.pk}/attempt/" in page.links()
    env.send(f"/operations/{refused.pk}/attempt/", "mia", reason="The customer is sure now.")

    created = env.send(env.new_link_url("erebor_mx_retail"), **(values | {"password": "pass_valid"}))
    assert created.status == 303
    assert Link.objects.count() == 1


@pytest.mark.parametrize("password", ["bank_down", "validation_error", "too_many"])
def test_other_errors_are_not_counted(env: Environment, password: str) -> None:
    link = env.belvo_link()

    page = env.send(f"/links/{link.pk}/credentials/", password=password)

    assert "2 attempts left today" in page.words


def test_links_page_and_admin_show_who_allowed_one_more_and_why(env: Environment) -> None:
    link = env.belvo_link()
    allow_attempt(actor=env.people["mia"], subject=link, reason="The customer called")

    assert "Mia · The customer called" in env.open(f"/links/{link.pk}/").words
    assert "The customer called" in env.open("/admin/operations/attemptallowance/", "aud").words
