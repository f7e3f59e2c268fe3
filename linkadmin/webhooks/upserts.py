"""A row that is inserted, or added to the counter of the one that is there: in one statement.

The ORM can ignore a conflict or overwrite, but neither add nor tell what came of it.
"""

from django.db import connection
from django.db.models import AutoField, Model


def insert_or_add(row: Model, *, unique: tuple[str, ...], counter: str) -> int:
    """Insert a row, or add its counter to that of the row with the same unique columns; return the counter then."""
    fields = [field for field in row._meta.concrete_fields if not isinstance(field, AutoField)]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_statement(row, [str(field.column) for field in fields], unique, counter), values)
        (count,) = cursor.fetchone()
    return int(count)


def _statement(row: Model, columns: list[str], unique: tuple[str, ...], counter: str) -> str:
    quote = connection.ops.quote_name
    table, count = quote(row._meta.db_table), quote(counter)
    names, places = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    return (
        f"INSERT INTO {table} ({names}) VALUES ({places}) "  # noqa: S608 - names of our own columns
        f"ON CONFLICT ({', '.join(map(quote, unique))}) "
        f"DO UPDATE SET {count} = {table}.{count} + excluded.{count} RETURNING {count}"
    )
