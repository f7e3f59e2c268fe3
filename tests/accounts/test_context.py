"""Navigation, environment and user menu around every page."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import resolve
from pytest_django import DjangoAssertNumQueries

from linkadmin.accounts.context import shell
from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role

pytestmark = pytest.mark.urls("tests.accounts.urls")


def frame_of(role: Role | None, path: str = "/") -> dict[str, Any]:
    request = RequestFactory().get(path)
    request.user = User(username="ana", name="Ana María López", roles=role) if role else AnonymousUser()
    request.resolver_match = resolve(path)
    return shell(request)


def labels(frame: dict[str, Any]) -> list[str]:
    return [str(item["label"]) for section in frame["nav"] for item in section["items"]]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (
            Role.SUPPORT,
            [
                "Overview",
                "Links",
                "Bulk actions",
                "Customers",
                "Institutions",
                "Activity",
                "Webhooks",
                "Unrecognized values",
            ],
        ),
        (
            Role.MANAGER,
            [
                "Overview",
                "Links",
                "Bulk actions",
                "Customers",
                "Institutions",
                "Activity",
                "Webhooks",
                "Integrations",
                "Staff limits",
                "Unrecognized values",
            ],
        ),
        (
            Role.AUDITOR,
            [
                "Overview",
                "Links",
                "Bulk actions",
                "Customers",
                "Institutions",
                "Activity",
                "Webhooks",
                "Integrations",
                "Staff",
                "Staff limits",
                "Unrecognized values",
                "Audit log",
                "Django admin",
            ],
        ),
        (
            Role.ADMINISTRATOR,
            [
                "Overview",
                "Institutions",
                "Activity",
                "Webhooks",
                "Integrations",
                "Staff",
                "Staff limits",
                "Unrecognized values",
                "System status",
            ],
        ),
        (None, []),
    ],
)
def test_navigation_offers_what_the_role_may_open(role: Role | None, expected: list[str]) -> None:
    assert labels(frame_of(role)) == expected


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/", "Overview"),
        ("/link-detail/", "Links"),
        ("/bulk-detail/", "Bulk actions"),
        ("/operation-detail/", "Links"),
        ("/institution-search/", "Links"),
        ("/institution-detail/", "Institutions"),
        ("/delivery-detail/", "Webhooks"),
        ("/admin/", "Django admin"),
        ("/admin/audit/auditevent/", "Audit log"),
    ],
)
def test_navigation_marks_the_current_page(path: str, current: str) -> None:
    items = [item for section in frame_of(Role.AUDITOR, path)["nav"] for item in section["items"]]

    assert [str(item["label"]) for item in items if item["current"]] == [current]


def test_navigation_has_no_empty_section() -> None:
    assert [str(section["label"]) for section in frame_of(Role.SUPPORT)["nav"]] == ["Work", "Setup"]


def test_frame_shows_the_signed_in_person() -> None:
    frame = frame_of(Role.MANAGER)

    assert (frame["roles_label"], frame["initials"]) == ("Account manager", "AN")


@pytest.mark.django_db
def test_frame_makes_no_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        frame_of(Role.AUDITOR)
