"""The two shapes that the simulator's pages are made of."""

from collections.abc import Iterable, Sequence
from html import escape


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Draw a table; its cells are HTML already."""
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
