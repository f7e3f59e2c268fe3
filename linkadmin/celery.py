"""The Celery application. Tasks carry ids only; the row in the database is the truth, a message is a nudge."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkadmin.settings")

# Ours loses no worker to a message that is half written.
TRANSPORT_ALIASES["filesystem"] = "linkadmin.broker:Transport"

app = Celery("linkadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
