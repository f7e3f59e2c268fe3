"""Sign a staff member in to the product; print the session key. Run once per benchmark run."""

from datetime import UTC, datetime

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django has to be set up first
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402

from linkadmin.accounts.models import User  # noqa: E402
from linkadmin.accounts.session_store import SEEN, STARTED, SessionStore  # noqa: E402


def sign_in(user: User) -> str:
    session, now = SessionStore(), int(datetime.now(UTC).timestamp())
    session.update(
        {SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0], STARTED: now, SEEN: now}
    )
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key or ""


print(sign_in(User.objects.order_by("username")[0]))
