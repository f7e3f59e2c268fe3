"""What the Django admin accepts in a URL: its own filters, and nothing that reveals more than its pages."""

import pytest
from django.contrib import admin
from django.test import Client

from linkadmin.audit.admin import ReadOnlyAdmin
from tests.environment import Environment
from tests.webhooks.webhook_sender import belvo_webhook, deliver, open_endpoint

pytestmark = [pytest.mark.deep, pytest.mark.django_db, pytest.mark.database]

ALL_LISTS = [
    "accounts/user", "audit/auditevent", "bulk/bulkitem", "bulk/bulkjob", "webhooks/webhookdelivery",
    "webhooks/webhooksecret", "links/enduser", "links/healthchange", "links/institution", "integrations/integration",
    "links/link", "operations/attemptallowance", "operations/operation",
]  # fmt: skip


@pytest.fixture
def auditor(env: Environment) -> Client:
    env.belvo_link("Wilhelmina Quackenbush")
    return env.client("aud")


def test_every_list_uses_the_strict_base() -> None:
    lists = {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry}

    assert lists == set(ALL_LISTS)
    assert [each for each in admin.site._registry.values() if not isinstance(each, ReadOnlyAdmin)] == []


@pytest.mark.parametrize(
    "asked",
    [
        "audit/auditevent/?hash__regex=(a%2B)%2B%24",
        "audit/auditevent/?canonical__icontains=wil",
        "audit/auditevent/?hash=0",
        "audit/auditevent/?at__year__regex=2",
        "audit/auditevent/?outcome__regex=d",
        "audit/auditevent/?outcome__in=done,denied",
        "audit/auditevent/?actor__startswith=a",
        "accounts/user/?password__startswith=argon2",
        "accounts/user/?username__regex=.",
        "accounts/user/?role__contains=a",
        "links/link/?search__text__icontains=wil",
        "links/link/?end_user__name__startswith=Wil",
        "links/link/?integration__secrets__encrypted__startswith=a",
        "links/link/?integration__name__regex=B",
        "links/enduser/?name__startswith=Wil",
        "integrations/integration/?options__contains=itg",
        "integrations/integration/?webhook_secrets__encrypted__gt=a",
        "links/healthchange/?link__end_user__name__icontains=wil",
        "operations/operation/?words__icontains=wil",
        "operations/operation/?actor__password__startswith=a",
        "operations/operation/?note__regex=.",
        "bulk/bulkjob/?actor__password__startswith=a",
        "webhooks/webhookdelivery/?payload__icontains=wil",
        "webhooks/webhookdelivery/?payload__data__name=Wilhelmina",
        "webhooks/webhookdelivery/?key__startswith=a",
        "webhooks/webhooksecret/?encrypted__startswith=a",
        "links/link/?_to_field=remote_id",
        "links/link/?_popup=1&_to_field=remote_id",
    ],
)  # fmt: skip
def test_only_filter_columns_can_be_queried(auditor: Client, asked: str) -> None:
    assert auditor.get(f"/admin/{asked}").status_code == 400


def test_each_filter_a_list_offers_works(auditor: Client) -> None:
    for name in ALL_LISTS:
        shown = auditor.get(f"/admin/{name}/").context["cl"]
        choices = [choice["query_string"] for spec in shown.filter_specs for choice in spec.choices(shown)]
        assert {auditor.get(f"/admin/{name}/{query}").status_code for query in choices} <= {200}


def test_search_is_bounded(auditor: Client) -> None:
    for name in ALL_LISTS:
        answers = [auditor.get(f"/admin/{name}/", {"q": words}) for words in ("x" * 200, "x" * 201, "x " * 11)]
        assert [answer.status_code for answer in answers] == [200, 400, 400]


def test_whole_tables_are_not_counted(auditor: Client) -> None:
    for name in ALL_LISTS:
        assert auditor.get(f"/admin/{name}/?_facets=True").context["cl"].add_facets is False


@pytest.mark.parametrize("name", ["links/link", "operations/operation", "webhooks/webhookdelivery", "audit/auditevent"])
def test_list_that_offers_no_sorting_keeps_its_order(auditor: Client, name: str) -> None:
    orders = ["", "1", "-2", "3.4.5", "1.1.1.1", "99", "-", "x", "--1"]

    pages = [auditor.get(f"/admin/{name}/", {"o": order}).context["cl"] for order in orders]

    assert len({tuple(page.queryset.query.order_by) for page in pages}) == 1


@pytest.mark.parametrize(
    ("app", "model", "field"), [("links", "link", "end_user"), ("operations", "operation", "link")]
)
def test_autocomplete_offers_no_names(auditor: Client, app: str, model: str, field: str) -> None:
    query = {"app_label": app, "model_name": model, "field_name": field, "term": ""}

    answer = auditor.get("/admin/autocomplete/", query)

    assert answer.status_code == 404
    assert b"Wilhelmina" not in answer.content


@pytest.mark.parametrize("query", ["e=1", "p=99999", "p=x", "all=", "_popup=1", "_changelist_filters=a"])
def test_other_query_parameters_reveal_nothing(auditor: Client, query: str) -> None:
    answer = auditor.get(f"/admin/links/link/?{query}", follow=True)

    assert answer.status_code in {200, 400}
    assert b"Wilhelmina" not in answer.content


def test_delivery_body_is_neither_shown_nor_searched(env: Environment) -> None:
    deliver(open_endpoint(env.belvo), belvo_webhook(link_id="link-1", data={"owner": "Wilhelmina Quackenbush"}))
    pages = [
        env.open("/admin/webhooks/webhookdelivery/?q=link-1", "aud"),
        env.open(f"/admin/webhooks/webhookdelivery/{env.belvo.deliveries.get().pk}/change/", "aud"),
    ]

    for page in pages:
        assert "link-1" in page.source
        assert "Wilhelmina" not in page.source
        assert "error_code" not in page.source
    assert "link-1" not in env.open("/admin/webhooks/webhookdelivery/?q=Wilhelmina", "aud").source
