"""Which pages may be compressed: all but those that show a secret, whose length would tell about it (BREACH)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http.response import HttpResponseBase

View = Callable[..., HttpResponseBase]


def no_compression(view: View) -> View:
    """Keep what a view answers from being compressed, by us and by a proxy.

    Neither touches an answer that says how it is encoded.
    """

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        response["Content-Encoding"] = "identity"
        return response

    answer.shows_secret = True  # type: ignore[attr-defined]
    return answer
