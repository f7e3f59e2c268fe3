"""Responses don't name the server program. gunicorn has no setting for it."""

from typing import Any

from gunicorn.http.wsgi import Response  # type: ignore[import-untyped]


def hide_server_name() -> None:
    """Leave the `Server` header out of every response of this process; `Date` stays."""
    usual = Response.default_headers

    def default_headers(self: Any) -> list[str]:
        return [line for line in usual(self) if not line.startswith("Server:")]

    Response.default_headers = default_headers
