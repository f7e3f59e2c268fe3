"""The product's own settings, with processes that wait for each other however busy the machine is."""

from linkadmin import siblings
from linkadmin.settings import *  # noqa: F403

siblings.PATIENCE_SECONDS = 60
