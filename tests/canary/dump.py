"""All rows of all tables, with sessions decoded: what someone with the database can read."""

import json

from django.db import connection

from linkadmin.accounts.session_store import SessionStore


def tables() -> dict[str, str]:
    with connection.cursor() as cursor:
        return {f"table {name}": _rows(name) for name in connection.introspection.table_names(cursor)} | {
            "sessions, opened": _sessions()
        }


def _rows(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM " + connection.ops.quote_name(table))  # noqa: S608 - its own
        return "\n".join(_text(value) for row in cursor.fetchall() for value in row)


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def _sessions() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_data FROM accounts_staffsession")
        return "\n".join(json.dumps(SessionStore().decode(data)) for (data,) in cursor.fetchall())
