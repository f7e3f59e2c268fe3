"""The web application for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from linkadmin.hardening import no_core_dumps
from linkadmin.web.server import hide_server_name, with_deadline

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkadmin.settings")

os.environ.setdefault("LINKADMIN_DATABASE_WAIT_SECONDS", "5")  # a person waits for the page

no_core_dumps()
hide_server_name()
application = with_deadline(get_wsgi_application())

from linkadmin.startup import refuse_unfit_database  # noqa: E402 - it needs the applications

refuse_unfit_database()
