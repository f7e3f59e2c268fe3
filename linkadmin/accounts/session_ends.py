"""What a browser forgets when a session ends in it."""

# No cookies: the session's own goes anyway, and the one of the device keeps strangers from locking its owner out.
CLEARED = '"cache", "storage"'
