"""The product's settings, with the floors beside its pages."""

from linkadmin.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.floors.urls"
