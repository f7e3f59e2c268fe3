"""Sign in a staff member of each role; print the session keys. Run once per benchmark run."""

import json
import sys
from datetime import UTC, datetime

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django has to be set up first
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402

from linkadmin.accounts.models import User  # noqa: E402
from linkadmin.accounts.roles import Role  # noqa: E402
from linkadmin.accounts.session_store import SEEN, STARTED, SessionStore  # noqa: E402


def sign_in(user: User) -> str:
    session, now = SessionStore(), int(datetime.now(UTC).timestamp())
    session.update({SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0]})
    session.update({STARTED: now, SEEN: now, HASH_SESSION_KEY: user.get_session_auth_hash()})
    session.create()
    return session.session_key or ""


def somebody(role: str) -> User:
    """The busiest member of staff is a manager; one of each other role has nothing assigned."""
    if role == Role.MANAGER:
        return User.objects.filter(roles=role).order_by("username")[0]
    return User.objects.get_or_create(username=f"bench-{role}", defaults={"roles": role, "password": "!"})[0]


def colleague() -> User:
    defaults = {"roles": Role.SUPPORT, "password": "!"}
    return User.objects.get_or_create(username="bench-colleague", defaults=defaults)[0]


def tester() -> User:
    """Sees the sandbox, where there's little."""
    return User.objects.update_or_create(
        username="bench-tester", defaults={"roles": Role.MANAGER, "password": "!", "environment": "sandbox"}
    )[0]


people = {role: somebody(role) for role in Role.values} | {"colleague": colleague(), "tester": tester()}
json.dump({name: sign_in(user) for name, user in people.items()}, sys.stdout)
