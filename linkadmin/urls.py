"""Every URL. Each needs an entry in accounts/roles.py, or nobody can open it."""

from django.contrib import admin
from django.urls import include, path

from linkadmin.web import probes
from linkadmin.web.browser_policies import csp_reports
from linkadmin.web.find import find_anything

handler500 = "linkadmin.web.views.server_error"
urlpatterns = [
    path("", include("linkadmin.reports.urls")),
    path("", include("linkadmin.integrations.urls")),
    path("", include("linkadmin.links.urls")),
    path("", include("linkadmin.webhooks.urls")),
    path("", include("linkadmin.operations.urls")),
    path("", include("linkadmin.sync.urls")),
    path("", include("linkadmin.bulk.urls")),
    path("", include("linkadmin.repair.urls")),
    path("accounts/", include("linkadmin.accounts.urls")),
    path("staff/", include("linkadmin.accounts.staff.urls")),
    path("admin/", admin.site.urls),
    path("find/", find_anything, name="find"),
    path("csp-reports/", csp_reports, name="csp-reports"),
    path("status/", probes.system_status, name="system-status"),
    path("livez/", probes.livez, name="livez"),
    path("readyz/", probes.readyz, name="readyz"),
    path("healthz/", probes.readyz, name="healthz"),
    path("statusz/", probes.statusz, name="statusz"),
]
