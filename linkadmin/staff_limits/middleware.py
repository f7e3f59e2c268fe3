"""Counts the customers whose names a response shows, before it's sent."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from linkadmin.accounts.models import User

from .counting import LimitReached, count
from .kinds import LimitKind
from .refusal import refusal
from .shown import collected


class StaffLimits:
    """A response that would cross a limit isn't sent: the person reads why, and who can help."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with collected() as customers:
            response = self._get_response(request)
        if customers and isinstance(request.user, User):
            try:
                count(request.user, LimitKind.CUSTOMERS_LISTED, customers)
            except LimitReached as reached:
                return refusal(request, reached)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusal(request, exception) if isinstance(exception, LimitReached) else None
