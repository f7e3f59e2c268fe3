"""A plain Django project: what `startproject` makes, with the peers' application, django-filter and django-tables2."""

from benchmarks.floors.bare import *  # noqa: F403
from benchmarks.floors.bare import INSTALLED_APPS as STOCK

INSTALLED_APPS = [*STOCK, "django_filters", "django_tables2", "benchmarks.peers"]
ROOT_URLCONF = "benchmarks.peers.urls"
