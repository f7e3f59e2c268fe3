"""The web application for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from linkadmin.icons import warm_up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkadmin.settings")

application = get_wsgi_application()
warm_up()
