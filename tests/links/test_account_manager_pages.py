"""Account managers on the pages of customers: shown, set, and filtered by."""

import pytest

from linkadmin.accounts.models import User
from linkadmin.audit.models import AuditEvent
from linkadmin.links.account_managers import set_account_manager
from linkadmin.links.models import EndUser
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def customer(env: Environment) -> EndUser:
    return env.belvo_link("Acme Corp").end_user


def choose(env: Environment, customer: EndUser, to: str, name: str = "ana") -> Page:
    """Choose somebody (or nobody, with an empty `to`) and submit."""
    form = env.open(f"{customer.get_absolute_url()}account-manager/", name).form_with("account_manager")
    return env.post(form.action, form.values | {"account_manager": str(env.people[to].pk) if to else ""}, name)


def manager_of(customer: EndUser) -> str:
    customer.refresh_from_db()
    return customer.account_manager.username if customer.account_manager else ""


def names(page: Page) -> list[str]:
    return [each.attrs["href"] for each in page.elements if each.attrs.get("class") == "table__main"]


@pytest.mark.parametrize("by", ["ana", "mia"])
def test_account_manager_is_set_and_shown(env: Environment, customer: EndUser, by: str) -> None:
    answer = choose(env, customer, "mia", by)

    assert manager_of(customer) == "mia"
    assert "Mia is now the account manager." in env.open(answer.location, by).words
    assert "1 of 1 link Mia" in env.open("/customers/", by).words
    assert AuditEvent.objects.get(action="end_user.account_manager_set").actor == by


def test_account_manager_is_removed(env: Environment, customer: EndUser) -> None:
    choose(env, customer, "mia")

    answer = choose(env, customer, "")

    assert manager_of(customer) == ""
    assert "This customer no longer has an account manager." in env.open(answer.location).words


def test_same_account_manager_again_changes_nothing(env: Environment, customer: EndUser) -> None:
    choose(env, customer, "mia")
    choose(env, customer, "mia")

    assert AuditEvent.objects.filter(action="end_user.account_manager_set").count() == 1


def test_colleague_who_was_faster_is_not_overwritten(env: Environment, customer: EndUser) -> None:
    form = env.open(f"{customer.get_absolute_url()}account-manager/").form_with("account_manager")
    set_account_manager(customer, env.people["ben"], by=env.people["mia"])
    wanted = form.values | {"account_manager": str(env.people["ana"].pk)}

    answer = env.post(form.action, wanted)

    assert answer.status == 409
    assert "Ben is now the account manager." in answer.words
    assert manager_of(customer) == "ben"
    again = answer.form_with("account_manager")
    assert again.values["account_manager"] == wanted["account_manager"]
    env.post(again.action, again.values)
    assert manager_of(customer) == "ana"


def test_conflict_replaces_only_the_form(env: Environment, customer: EndUser) -> None:
    form = env.open(f"{customer.get_absolute_url()}account-manager/").form_with("account_manager")
    set_account_manager(customer, env.people["ben"], by=env.people["mia"])

    answer = read(env.client().post(form.action, form.values, headers=HTMX))

    assert (answer.status, answer.is_whole) == (409, False)


@pytest.mark.parametrize("manager", ["aud", "adm", "nobody at all"])
def test_only_active_staff_who_work_on_links_are_accepted(env: Environment, customer: EndUser, manager: str) -> None:
    chosen = str(env.people[manager].pk) if manager in env.people else manager

    answer = env.post(f"{customer.get_absolute_url()}account-manager/", {"account_manager": chosen})

    assert answer.status == 422
    assert manager_of(customer) == ""


def test_inactive_account_manager_is_shown_until_somebody_takes_over(env: Environment, customer: EndUser) -> None:
    choose(env, customer, "ben")
    User.objects.filter(username="ben").update(is_active=False)

    form = env.open(f"{customer.get_absolute_url()}account-manager/").form_with("account_manager")

    assert form.values["account_manager"] == str(env.people["ben"].pk)


def test_auditor_sees_the_account_manager_and_no_choice(env: Environment, customer: EndUser) -> None:
    choose(env, customer, "ben")

    page = env.open(customer.get_absolute_url(), "aud")

    assert "Account manager Ben" in page.words
    assert not any("account_manager" in form.names for form in page.forms)
    assert env.post(f"{customer.get_absolute_url()}account-manager/", {"account_manager": ""}, "aud").status == 403


def test_list_is_filtered_by_account_manager(env: Environment, customer: EndUser) -> None:
    choose(env, customer, "mia")
    other = env.heron_link("Blue Fern Bakery").end_user

    assert names(env.open("/customers/?manager=mine", "mia")) == [customer.get_absolute_url()]
    assert names(env.open("/customers/?manager=mine", "ana")) == []
    for sort in ("trouble", "name"):
        assert names(env.open(f"/customers/?manager=nobody&sort={sort}")) == [other.get_absolute_url()]
    assert names(env.open(f"/customers/?manager={env.people['mia'].pk}")) == [customer.get_absolute_url()]
    assert env.open("/customers/?manager=someone").status == 400


def test_search_keeps_the_filter(env: Environment, customer: EndUser) -> None:
    choose(env, customer, "mia")
    env.customer("Acme Bakery")
    form = env.open("/customers/?manager=mine", "mia").form_with("q")

    found = env.post(form.action, form.values | {"q": "acme"}, "mia")

    assert names(found) == [customer.get_absolute_url()]
    assert "Account manager: Mine" in found.words
