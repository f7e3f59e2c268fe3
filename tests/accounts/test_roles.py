"""The role matrix, and the pages it opens."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import MATRIX, URL_RIGHTS, Right, Role, rights_of, rule_for
from linkadmin.audit.models import AuditEvent

from .conftest import Browser

# Repeated from security.md 9 on purpose: a right that changes must change here, too.
TABLE = """
                      support  manager  auditor  administrator
view_overview         yes      yes      yes      yes
view_links            yes      yes      yes      no
view_end_users        yes      yes      yes      no
view_all_customers    yes      yes      yes      no
see_names             yes      yes      no       no
show_names            no       no       yes      no
create_link           yes      no       no       no
update_credentials    yes      no       no       no
send_repair_request   yes      yes      no       no
change_link           yes      no       no       no
remove_link           yes      yes      no       no
refresh               yes      yes      no       no
organize_links        yes      yes      no       no
view_deliveries       yes      yes      yes      yes
view_all_deliveries   yes      yes      yes      yes
read_records          yes      yes      no       no
decide_outcome        no       yes      no       no
allow_attempt         no       yes      no       no
withdraw_challenge    no       yes      no       no
export                no       yes      yes      no
view_integrations     no       yes      yes      yes
test_connection       no       yes      no       yes
manage_integrations   no       no       no       yes
enter_admin           no       no       yes      yes
view_audit            no       no       yes      no
see_audit_alerts      no       no       yes      yes
view_system_status    no       no       no       yes
view_limits           no       yes      yes      yes
lift_limit            no       yes      no       no
view_staff            no       no       yes      yes
manage_staff          no       no       no       yes
"""
HEADER, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(role, row[0], cell == "yes") for row in ROWS for role, cell in zip(HEADER, row[1:], strict=True)]

PAGES = [
    ("GET", "/", Right.VIEW_OVERVIEW),
    ("GET", "/link-list/", Right.VIEW_LINKS),
    ("GET", "/link-new/", Right.CREATE_LINK),
    ("POST", "/link-new/", Right.CREATE_LINK),
    ("GET", "/institution-search/", Right.CREATE_LINK),
    ("GET", "/link-code/", Right.VIEW_LINKS),
    ("HEAD", "/link-code/", Right.VIEW_LINKS),
    ("POST", "/link-code/", Right.UPDATE_CREDENTIALS),
    ("POST", "/link-refresh/", Right.REFRESH),
    ("POST", "/link-attempt/", Right.ALLOW_ATTEMPT),
    ("GET", "/end-user-list/", Right.VIEW_END_USERS),
    ("GET", "/integration-list/", Right.VIEW_INTEGRATIONS),
    ("POST", "/integration-test/", Right.TEST_CONNECTION),
    ("GET", "/operation-detail/", Right.VIEW_LINKS),
    ("POST", "/operation-check/", Right.REFRESH),
    ("GET", "/admin/", Right.ENTER_ADMIN),
    ("GET", "/admin/audit/auditevent/", Right.VIEW_AUDIT),
    ("GET", "/admin/accounts/user/", Right.VIEW_STAFF),
    ("GET", "/staff-new/", Right.MANAGE_STAFF),
    ("POST", "/staff-invite/", Right.MANAGE_STAFF),
]


def test_table_names_every_role_and_right() -> None:
    assert set(HEADER) == set(Role.values)
    assert [row[0] for row in ROWS] == list(Right)


@pytest.mark.parametrize(("role", "right", "granted"), CELLS)
def test_role_has_exactly_the_rights_of_the_table(role: str, right: str, granted: bool) -> None:
    assert (right in MATRIX[role]) is granted


@pytest.mark.urls("tests.accounts.urls")
@pytest.mark.parametrize("role", Role)
def test_pages_open_with_the_right_only(browser_of: Browser, role: Role) -> None:
    browser = browser_of(role)

    got = {(method, path): browser.generic(method, path).status_code for method, path, _right in PAGES}

    assert got == {(method, path): 200 if right in MATRIX[role] else 403 for method, path, right in PAGES}


@pytest.mark.urls("tests.accounts.urls")
def test_denied_page_is_recorded(browser_of: Browser) -> None:
    browser_of(Role.ADMINISTRATOR).get("/one/link-detail/4f1c/")

    event = AuditEvent.objects.get(action="access.denied")
    assert (event.actor, event.outcome, event.object_id) == ("administrator", "denied", "4f1c")
    assert event.details == {"view": "link-detail", "method": "GET"}


@pytest.mark.urls("tests.accounts.urls")
def test_denial_by_the_view_itself_is_recorded(browser_of: Browser) -> None:
    response = browser_of(Role.MANAGER).post("/operation-decide/")

    assert response.status_code == 403
    assert AuditEvent.objects.filter(action="access.denied", details__view="operation-decide").count() == 1


@pytest.mark.urls("tests.accounts.urls")
def test_path_without_an_id_is_not_recorded(browser_of: Browser) -> None:
    browser_of(Role.ADMINISTRATOR).get("/one/link-detail/Maria Lopez/")

    assert AuditEvent.objects.get(action="access.denied").object_id == ""


@pytest.mark.urls("tests.accounts.urls")
@pytest.mark.parametrize("role", Role)
def test_undeclared_page_is_denied_to_everyone(browser_of: Browser, role: Role) -> None:
    assert browser_of(role).get("/undeclared/").status_code == 403


@pytest.mark.urls("tests.accounts.urls")
def test_undeclared_method_is_denied(browser_of: Browser) -> None:
    assert browser_of(Role.SUPPORT).delete("/link-code/").status_code == 403


def test_several_roles_give_the_rights_of_each() -> None:
    both = User(roles="manager,support")

    assert rights_of(both) == MATRIX[Role.SUPPORT] | MATRIX[Role.MANAGER]
    assert rights_of(User(roles="administrator,support")) >= {Right.MANAGE_STAFF, Right.SEE_NAMES}
    assert all(not rights_of(User(roles=stored)) for stored in ("support,manager", "auditor,support", "king", ""))


@pytest.mark.urls("tests.accounts.urls")
@pytest.mark.django_db
def test_visitor_is_redirected_to_sign_in_and_back(client: Client) -> None:
    response = client.get("/link-list/?state=broken")

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/link-list/%3Fstate%3Dbroken"


@pytest.mark.urls("tests.accounts.urls")
@pytest.mark.django_db
def test_part_request_redirects_the_whole_page_to_sign_in(client: Client) -> None:
    response = client.get(
        "/link-list/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/link-list/?a=1"}
    )

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/accounts/login/?next=/link-list/%3Fa%3D1"


@pytest.mark.urls("tests.accounts.urls")
@pytest.mark.django_db
def test_part_request_ignores_a_foreign_url(client: Client) -> None:
    response = client.get("/link-list/", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/"})

    assert response["HX-Redirect"] == "/accounts/login/?next=/link-list/"


@pytest.mark.urls("tests.accounts.urls")
@pytest.mark.django_db
def test_health_is_public(client: Client) -> None:
    assert client.get("/healthz/").status_code == 200


def view_names(resolver: URLResolver, namespaces: tuple[str, ...] = ()) -> list[str]:
    """Names of all pages except those of changes, whose right comes from the change's row."""
    names = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern) and "change" in entry.default_args:
            assert rule_for(str(entry.name), "POST", entry.default_args["change"]) in Right
        elif isinstance(entry, URLPattern):
            names.append(":".join([*namespaces, entry.name or entry.lookup_str]))
        else:
            names += view_names(entry, (*namespaces, entry.namespace) if entry.namespace else namespaces)
    return names


def test_every_page_is_declared() -> None:
    names = view_names(get_resolver())

    assert "account_login" in names
    assert [name for name in names if not (rule_for(name, "GET") or rule_for(name, "POST"))] == []


def test_every_declared_page_exists() -> None:
    assert sorted(set(URL_RIGHTS) - set(view_names(get_resolver()))) == []
