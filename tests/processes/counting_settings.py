"""The product's own settings, with a hash that leaves a mark each time it is computed."""

from linkadmin.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.processes.counting_hasher.CountingHasher"]
