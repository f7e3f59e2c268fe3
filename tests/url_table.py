"""Every URL, with each role's response to it, and the views behind it."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

# Method and URL, and each role's response. Opening a page answers 200 or redirects. A form submitted empty is
# rejected at its fields, or by our own rules.
TABLE = """
                                         ana  mia  aud  adm
GET  /                                   200  200  200  200
GET  /live/                              200  200  200  200
GET  /find/                              405  405  405  405
POST /find/                              200  200  200  200
GET  /links/                             200  200  200  403
POST /links/                             200  200  200  403
GET  /links/live/                        200  200  200  403
GET  /links/export/                      403  200  200  403
POST /links/export/                      403  200  200  403
GET  /links/institutions/?bank=x         200  200  200  403
GET  /links/new/                         200  403  403  403
GET  /links/new/?integration={heron}     200  403  403  403
POST /links/new/?integration={heron}     422  403  403  403
GET  /links/new/?integration={belvo}     200  403  403  403
GET  /links/new/institutions/?integration={belvo}  200  403  403  403
GET  /links/{link}/                      200  200  200  403
POST /links/{link}/                      405  405  405  403
GET  /links/{link}/credentials/          200  403  403  403
POST /links/{link}/credentials/          422  403  403  403
GET  /links/{link}/code/                303  303  303  403
POST /links/{link}/code/                303  403  403  403
GET  /links/{link}/code/{challenge}/picture/  404  403  403  403
POST /links/{link}/code/withdraw/       303  403  403  403
GET  /links/{link}/code/withdraw/       405  403  403  403
GET  /links/{link}/code/cancel/         403  303  403  403
POST /links/{link}/code/cancel/         403  303  403  403
GET  /accounts/security/                 200  200  200  200
GET  /accounts/confirm/                  200  200  200  200
POST /accounts/confirm/                  422  422  422  422
POST /accounts/confirm/passkey/options/  200  200  200  200
GET  /accounts/factors/new/              200  200  200  200
GET  /accounts/factors/app/              200  200  200  200
POST /accounts/factors/app/              422  422  422  422
POST /accounts/factors/passkey/          422  422  422  422
POST /accounts/factors/passkey/options/  200  200  200  200
POST /accounts/factors/{factor}/remove/  404  404  404  404
POST /accounts/recovery-codes/           404  404  404  404
GET  /accounts/login/factor/             302  302  302  302
POST /accounts/login/passkey/            302  302  302  302
POST /accounts/login/passkey/options/    200  200  200  200
POST /accounts/single-sign-on/           404  404  404  404
GET  /accounts/single-sign-on/callback/  404  404  404  404
GET  /accounts/recover/                  404  404  404  404
POST /accounts/recover/                  404  404  404  404
POST /accounts/environment/              400  400  400  400
POST /accounts/sessions/end/             302  302  302  302
GET  /accounts/join/                     200  200  200  200
GET  /staff/                             403  403  200  200
GET  /staff/roles/                       403  403  200  200
GET  /staff/approvals/                   403  403  200  200
POST /staff/approvals/{ben}/             403  403  403  404
GET  /staff/new/                         403  403  403  200
POST /staff/new/                         403  403  403  422
GET  /staff/{ben}/                       403  403  200  200
POST /staff/{ben}/                       403  403  403  422
POST /staff/{ben}/invitation/            403  403  403  200
POST /staff/{ben}/invitation/mail/       403  403  403  303
GET  /staff/{ben}/identity/              403  403  403  404
POST /staff/{ben}/identity/              403  403  403  404
POST /staff/{ben}/sessions/end/          403  403  403  303
POST /staff/{ben}/factors/reset/         403  403  403  200
GET  /staff/limits/                      403  200  200  200
GET  /staff/limits/live/                 403  200  200  200
GET  /staff/{ben}/limits/{limit}/        403  303  403  403
POST /staff/{ben}/limits/{limit}/        403  303  403  403
GET  /links/{link}/live/                 200  200  200  403
GET  /links/{link}/history/              200  200  200  403
POST /links/{link}/history/              405  405  405  403
GET  /links/{link}/history/export/        403  200  200  403
GET  /links/{link}/notes/                200  200  403  403
POST /links/{link}/notes/                422  422  403  403
GET  /links/{link}/assignee/                200  200  403  403
POST /links/{link}/assignee/                303  303  403  403
GET  /links/{link}/refresh/              405  405  403  403
GET  /links/{link}/attempt/              403  303  403  403
POST /links/{link}/attempt/              403  303  403  403
GET  /links/{link}/settings/             200  403  403  403
POST /links/{link}/settings/             422  403  403  403
GET  /links/{link}/fetch/                200  200  403  403
POST /links/{link}/fetch/                422  422  403  403
GET  /links/{link}/delete/               200  200  403  403
POST /links/{link}/delete/               422  422  403  403
GET  /links/{link}/access-token/         200  403  403  403
POST /links/{link}/access-token/         422  403  403  403
GET  /links/{link}/repair-request/       200  200  403  403
POST /links/{link}/repair-request/       422  422  403  403
POST /links/{link}/repair-request/revoke/  303  303  403  403
GET  /repair/                            410  410  410  410
GET  /repair/done/                       410  410  410  410
GET  /repair/left/                       410  410  410  410
GET  /repair/back/                       410  410  410  410
GET  /repair/logo/                       404  404  404  404
GET  /repair/{key}/                    410  410  410  410
GET  /links/{link}/reports/              200  403  403  403
POST /links/{link}/reports/              422  403  403  403
GET  /links/{link}/customer-name/        200  403  403  403
POST /links/{link}/customer-name/        422  403  403  403
GET  /operations/                        200  200  200  200
GET  /operations/export/                 403  200  200  403
GET  /operations/{operation}/            200  200  200  403
GET  /integrations/operations/{webhook}/live/  403  286  286  286
GET  /operations/{operation}/live/       286  286  286  403
GET  /integrations/operations/{webhook}/  403  200  200  200
GET  /operations/{webhook}/              404  404  404  403
GET  /integrations/operations/{operation}/  403  404  404  404
GET  /operations/{operation}/attempt/    403  404  403  403
GET  /operations/{operation}/check/      405  405  403  403
GET  /operations/{operation}/decide/     403  405  403  403
POST /operations/{operation}/decide/     403  422  403  403
GET  /bulk/                              200  200  200  403
GET  /bulk/export/  403  200  200  403
GET  /bulk/count/                        405  405  405  403
POST /bulk/count/                        200  200  200  403
GET  /bulk/refresh/                      405  405  403  403
POST /bulk/refresh/                      303  303  403  403
GET  /bulk/assignee/                        405  405  403  403
POST /bulk/assignee/                        200  200  403  403
GET  /bulk/note/                         405  405  403  403
POST /bulk/note/                         200  200  403  403
GET  /bulk/{job}/live/                   200  200  200  403
GET  /bulk/{job}/                        200  200  200  403
GET  /bulk/{job}/export/  403  200  200  403
POST /bulk/{job}/                        400  400  400  403
GET  /customers/                         200  200  200  403
GET  /customers/live/                    200  200  200  403
GET  /customers/export/     403  200  200  403
POST /customers/export/     403  200  200  403
POST /customers/                         200  200  200  403
GET  /customers/{customer}/              200  200  200  403
GET  /integrations/                      403  200  200  200
GET  /integrations/{belvo}/              403  200  200  200
GET  /integrations/new/                  403  403  403  200
GET  /integrations/new/?provider=heron   403  403  403  200
POST /integrations/new/?provider=heron   403  403  403  422
GET  /integrations/{belvo}/edit/         403  403  403  200
POST /integrations/{belvo}/edit/         403  403  403  422
GET  /integrations/{belvo}/test/         403  405  403  405
POST /integrations/{belvo}/test/         403  303  403  303
GET  /links/{link}/records/              200  200  403  403
GET  /customers/{customer}/contact/      200  200  403  403
GET  /customers/{customer}/name/         403  403  200  403
POST /customers/{customer}/name/         403  403  422  403
POST /customers/{customer}/contact/      303  303  403  403
GET  /customers/{customer}/account-manager/  200  200  403  403
POST /customers/{customer}/account-manager/  303  303  403  403
GET  /customers/{customer}/records/{heron}/  200  200  403  403
GET  /customers/{customer}/records/{heron}/tell/  405  403  403  403
POST /customers/{customer}/records/{heron}/tell/  400  403  403  403
POST /customers/{customer}/records/{heron}/sources/{source}/  400  403  403  403
GET  /integrations/{heron}/records/{what}/  200  200  403  403
POST /integrations/{heron}/records/{what}/  200  200  403  403
GET  /integrations/{belvo}/records/customers/  404  404  403  403
GET  /integrations/{heron}/records/connectors/  403  200  403  200
GET  /integrations/{heron}/records/webhooks/  403  200  403  200
GET  /integrations/{belvo}/records/webhooks/  403  404  403  404
GET  /integrations/{heron}/webhooks/add/  403  403  403  200
POST /integrations/{heron}/webhooks/{source}/switch/  403  403  403  400
GET  /integrations/{heron}/webhooks/{source}/end/  403  403  403  200
GET  /integrations/{heron}/reports/      403  403  403  200
POST /integrations/{heron}/reports/      403  403  403  422
GET  /integrations/{belvo}/reports/      403  403  403  404
GET  /integrations/{belvo}/full-checks/       403  200  200  200
POST /integrations/{belvo}/full-checks/       403  403  403  303
GET  /integrations/{belvo}/full-checks/export/  403  200  200  403
GET  /full-checks/{full_check}/live/               403  200  200  200
GET  /full-checks/{full_check}/                    403  200  200  200
POST /full-checks/{full_check}/                    403  403  403  303
GET  /institutions/                      200  200  200  200
GET  /institutions/export/  403  200  200  403
GET  /institutions/{bank}/               200  200  200  200
GET  /institutions/{bank}/read/          405  405  403  403
GET  /integrations/{belvo}/institutions/  200  200  403  403
GET  /integrations/{heron}/institutions/  404  404  403  403
GET  /integrations/{belvo}/institutions/read/  403  405  403  405
GET  /unrecognized-values/               200  200  200  200
GET  /unrecognized-values/export/  403  200  200  403
GET  /deliveries/               200  200  200  200
POST /deliveries/               200  200  200  200
GET  /deliveries/export/         403  200  200  403
POST /deliveries/export/         403  200  200  403
GET  /deliveries/{delivery}/    200  200  200  200
GET  /deliveries/{delivery}/reprocess/  405  405  403  403
GET  /deliveries/reprocess/        405  405  403  403
GET  /integrations/{belvo}/endpoint/        403  200  200  200
GET  /integrations/{belvo}/endpoint/url/  403  403  403  200
GET  /integrations/{belvo}/endpoint/secrets/  403  403  403  405
POST /integrations/{belvo}/endpoint/secrets/  403  403  403  422
GET  /integrations/{belvo}/endpoint/secrets/new/  403  403  403  405
POST /integrations/{heron}/endpoint/secrets/new/  403  403  403  404
GET  /integrations/{belvo}/endpoint/secrets/{secret}/revoke/  403  403  403  200
GET  /admin/                             403  403  200  200
GET  /admin/audit/auditevent/            403  403  200  403
GET  /admin/links/link/                  403  403  200  403
GET  /admin/links/enduser/               403  403  200  403
GET  /admin/links/institution/           403  403  200  200
GET  /admin/links/healthchange/          403  403  200  403
GET  /admin/bulk/bulkjob/                403  403  200  403
GET  /admin/bulk/bulkitem/               403  403  200  403
GET  /admin/operations/operation/        403  403  200  403
GET  /admin/webhooks/webhookdelivery/       403  403  200  200
GET  /admin/webhooks/webhooksecret/         403  403  200  200
GET  /admin/integrations/integration/           403  403  200  200
GET  /admin/integrations/integration/{belvo}/change/  403  403  200  200
GET  /admin/accounts/user/               403  403  200  200
GET  /admin/accounts/user/add/           403  403  403  403
GET  /healthz/                           200  200  200  200
POST /csp-reports/                       400  400  400  400
GET  /livez/                             200  200  200  200
GET  /readyz/                            200  200  200  200
GET  /status/                            403  403  403  200
GET  /statusz/                           503  503  503  503
"""
NAMES, *LINES = [line.split() for line in TABLE.strip().splitlines()]
ROWS = [(line[0], line[1], dict(zip(NAMES, map(int, line[2:]), strict=True))) for line in LINES]
PUBLIC = {
    "/accounts/join/": 200,
    "/accounts/login/factor/": 302,
    "/accounts/login/passkey/": 302,
    "/accounts/login/passkey/options/": 200,
    "/accounts/recover/": 404,  # these only with an identity provider
    "/accounts/single-sign-on/": 404,
    "/accounts/single-sign-on/callback/": 404,
    "/healthz/": 200,
    "/repair/": 410,
    "/repair/done/": 410,
    "/repair/left/": 410,
    "/repair/back/": 410,
    "/repair/logo/": 404,  # there is none
    "/repair/{key}/": 410,
    "/livez/": 200,
    "/readyz/": 200,
    "/statusz/": 503,  # no worker runs here
    "/csp-reports/": 400,
}
# Pages about one customer or link, provider records, the audit log, and exports: opening one is recorded. Lists and the
# overview record no view.
RECORDED = {
    "/links/{link}/",
    "/links/{link}/assignee/",
    "/links/{link}/credentials/",
    "/links/{link}/history/",
    "/links/{link}/notes/",
    "/links/{link}/settings/",
    "/links/{link}/fetch/",
    "/links/{link}/delete/",
    "/links/{link}/access-token/",
    "/links/{link}/repair-request/",
    "/links/{link}/reports/",
    "/links/{link}/customer-name/",
    "/links/{link}/records/",
    "/operations/{operation}/",
    "/customers/{customer}/",
    "/customers/{customer}/account-manager/",
    "/customers/{customer}/contact/",
    "/customers/{customer}/name/",
    "/customers/{customer}/records/{heron}/",
    "/integrations/{heron}/records/{what}/",
    "/integrations/{heron}/records/connectors/",
    "/integrations/{heron}/records/webhooks/",
    "/integrations/{heron}/webhooks/add/",
    "/integrations/{heron}/webhooks/{source}/end/",
    "/admin/audit/auditevent/",
    *(address for method, address, _answers in ROWS if method == "GET" and address.endswith("/export/")),
}


def declared() -> Iterator[tuple[str, str]]:
    """Yield every view name and pattern."""
    for name, path, _view in _walk(get_resolver().url_patterns, "", ""):
        yield name, path


def views() -> Iterator[tuple[str, Callable[..., HttpResponse]]]:
    for name, _path, view in _walk(get_resolver().url_patterns, "", ""):
        yield name, view


def _walk(patterns: list[URLPattern | URLResolver], prefix: str, space: str) -> Iterator[tuple[str, str, Any]]:
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield f"{space}{each.name}", path, each.callback
        else:
            yield from _walk(each.url_patterns, path, f"{each.namespace}:" if each.namespace else space)
