"""Database triggers that reject changes to audit events, and a check that they're in force."""

from django.db import connection

TABLE = "audit_auditevent"
_REFUSE = (
    "BEGIN RAISE EXCEPTION 'audit events are only ever added' USING ERRCODE = 'integrity_constraint_violation'; END"
)
_ABORT = "BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END"

# Survives dropping all tables.
POSTGRESQL_FUNCTION = (
    f"CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {_REFUSE} $$"
)
TRIGGERS = {
    # REPLACE deletes the old row without firing the other triggers, hence the one on INSERT.
    "sqlite": {
        "audit_event_no_update": f"CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON {TABLE} {_ABORT}",
        "audit_event_no_delete": f"CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON {TABLE} {_ABORT}",
        "audit_event_no_replace": f"CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON {TABLE} "  # noqa: S608 - our own names
        f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE seq = NEW.seq) {_ABORT}",
    },
    "postgresql": {
        "audit_event_no_change": f"CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION audit_event_refuse()",
        "audit_event_no_truncate": f"CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()",
    },
}


def not_in_force() -> list[str]:
    """Return the names of triggers that are missing, disabled or not ours."""
    in_force = {"sqlite": _in_force_on_sqlite, "postgresql": _in_force_on_postgresql}[connection.vendor]()
    return sorted(TRIGGERS[connection.vendor].keys() - in_force)


def _in_force_on_sqlite() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
        return {name for name, sql in cursor.fetchall() if _words(sql) == _words(TRIGGERS["sqlite"].get(name, ""))}


def _in_force_on_postgresql() -> set[str]:
    with connection.cursor() as cursor:
        # O and A fire in ordinary sessions. tgqual is a condition that could let a change pass.
        cursor.execute(
            """
            SELECT tgname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
            WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A') AND tgqual IS NULL
            """,
            [TABLE],
        )
        return {name for name, source in cursor.fetchall() if _words(source) == _words(_REFUSE)}


def _words(text: str) -> list[str]:
    return text.split()
