"""The migration that marks links and counts of an earlier version as those of their integration's environment."""

from collections.abc import Callable
from datetime import UTC, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import counts, health, staff_counts
from linkadmin.links.count_upkeep import compare, fold
from linkadmin.links.models import DailyTotal, Link, StaffCount, StaffMove, UnrecognizedValue
from linkadmin.links.staff_work import assign
from linkadmin.providers.types import Cause, Observation
from tests.environment import Environment
from tests.migrating import migrated_back

pytestmark = [pytest.mark.database, pytest.mark.deep]

mark: Callable[..., None] = import_module("linkadmin.links.migrations.0013_environment").mark


def earlier(env: Environment, *sandbox: Integration) -> None:
    """Links with counts that don't know of environments, and the integrations that are marked by now."""
    for number, link in enumerate([env.belvo_link("Acme"), env.heron_link("Beta")]):
        at = timezone.now() + timedelta(seconds=1)
        health.observe(link, health.Report(Observation(Cause.UNRECOGNIZED, f"odd-{number}"), health.Source.LIST, at))
        assign(link, by=env.people["ana"], assignee=env.people["ana"])
        if number == 0:
            fold()
    Integration.objects.filter(pk__in=[each.pk for each in sandbox]).update(environment="sandbox")


def counted(env: Environment, environment: str) -> list[Any]:
    today = timezone.now().astimezone(UTC).date()
    of_today = {state: days[-1] for state, days in counts.trend(2, environment, today=today).items() if days[-1]}
    return [of_today, +staff_counts.read()[environment].mine[env.people["ana"].pk]]


@pytest.mark.django_db
def test_both_environments_get_their_own_links_and_counts(env: Environment) -> None:
    earlier(env, env.heron)

    mark(apps, None)
    fold()

    assert dict(Link.objects.values_list("integration", "environment")) == {
        env.belvo.pk: "production",
        env.heron.pk: "sandbox",
    }
    assert dict(UnrecognizedValue.objects.values_list("value", "environment")) == {
        "odd-0": "production",
        "odd-1": "sandbox",
    }
    for environment in ("production", "sandbox"):
        assert counted(env, environment) == [{"unknown": 1}, {"unknown": 1}]
    assert compare().wrong == 0


@pytest.mark.django_db
def test_where_all_is_sandbox_all_counts_are(env: Environment) -> None:
    earlier(env, env.heron, env.belvo)

    mark(apps, None)

    for model in (Link, DailyTotal, StaffCount, StaffMove, UnrecognizedValue):
        assert set(model._default_manager.values_list("environment", flat=True)) == {"sandbox"}
    assert counted(env, "sandbox") == [{"unknown": 2}, {"unknown": 2}]
    assert compare().wrong == 0


@pytest.mark.django_db(transaction=True)
def test_migrates_back_and_forward() -> None:
    with migrated_back("links", "0012_customer_contact"):
        pass

    assert compare().wrong == 0
