"""Copy the product's rows into the peers' tables, and print the session key of somebody who may see them all.

Run once per data set, and with `sign-in` once per run.
"""

import sys

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks.floors.raw import PEERS_SCHEMA, sqlite_file  # noqa: E402

COPIES = {  # peer's table and columns, product's table and columns
    "peers_staff (id, name)": "accounts_user: id, name",
    "peers_integration (id, name)": "integrations_integration: id, name",
    "peers_institution (id, integration_id, name, display_name)": (
        "links_institution: id, integration_id, name, display_name"
    ),
    "peers_enduser (id, external_id, name)": "links_enduser: id, external_id, name",
    "peers_link (id, integration_id, end_user_id, institution_id, assignee_id, remote_id, health, cause, health_since,"
    " last_good_at)": (
        "links_link: id, integration_id, end_user_id, institution_id, assignee_id, remote_id, health, cause,"
        " health_since, last_good_at"
    ),
}


def fill() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE SCHEMA {PEERS_SCHEMA}")
            product = "public"
        else:
            cursor.execute("ATTACH %s AS product", [str(sqlite_file(product=True))])
            product = "product"
        call_command("migrate", run_syncdb=True, verbosity=0)
        for into, source in COPIES.items():
            table, columns = source.split(": ")
            cursor.execute(f"INSERT INTO {into} SELECT {columns} FROM {product}.{table}")  # noqa: S608
        cursor.execute("ANALYZE")
    get_user_model().objects.create_superuser("peer")


def sign_in() -> str:
    user, session = get_user_model().objects.get(), SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    if "sign-in" in sys.argv:
        print(sign_in())
    else:
        fill()
