"""The product's settings with the counting password hasher."""

from linkadmin.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.processes.counting_hasher.CountingHasher"]
