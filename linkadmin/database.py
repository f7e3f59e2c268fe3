"""Database connections and who holds them."""

from django.db import connections


def release_connections() -> None:
    """Give this thread's connections back, so that nobody waits for one while it waits for a provider.

    Does nothing inside a transaction.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
