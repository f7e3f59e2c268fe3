"""The web application for gunicorn."""

import gc
import logging
import os

from django.core.wsgi import get_wsgi_application

from linkadmin.hardening import no_core_dumps
from linkadmin.logs import SecretPaths
from linkadmin.web.server import hide_server_name, with_deadline

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkadmin.settings")

os.environ.setdefault("LINKADMIN_DATABASE_WAIT_SECONDS", "5")  # a person waits for the page

gc.disable()  # it would look through all that is loaded, and find nothing to collect
no_core_dumps()
hide_server_name()
for name in ("gunicorn.error", "gunicorn.access"):
    logging.getLogger(name).addFilter(SecretPaths())
_django = get_wsgi_application()

# These need the applications.
from django.urls import reverse  # noqa: E402

from linkadmin.startup import refuse_if_unfit  # noqa: E402
from linkadmin.webhooks.intake import with_intake  # noqa: E402

application = with_deadline(with_intake(_django))
refuse_if_unfit()
# With --preload, processes share what is loaded until they write to it. The collector would write to all of it.
reverse("overview")  # loads all views
gc.freeze()
gc.enable()
