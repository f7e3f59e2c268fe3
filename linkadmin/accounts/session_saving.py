"""How a session is saved after a page: a page that could be read is not lost for the mark that somebody was there."""

from contextlib import nullcontext

import structlog
from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse

from linkadmin.database import waiting_at_most
from linkadmin.web import storage

SAVE_SECONDS = 1.0  # the next page tries again

logger = structlog.get_logger(__name__)


class SessionNotSaved(Exception):
    """A new session could not be saved: nobody is signed in."""


class SessionMiddleware(DjangoSessionMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save the session if anything in it changed.

        A new session, of somebody who just signed in, must be saved: its cookie would open nothing. In one that was
        there before only the time of the last page is lost.
        """
        session = request.session
        is_new = request.COOKIES.get(settings.SESSION_COOKIE_NAME) != session.session_key
        try:
            with waiting_at_most(SAVE_SECONDS) if session.modified and not is_new else nullcontext():
                return super().process_response(request, response)
        except (SessionInterrupted, *storage.UNUSABLE) as error:
            trouble = storage.trouble_of(error)
            if trouble is None:
                raise
            if is_new:
                raise SessionNotSaved from error
            logger.warning("session.not_saved", trouble=trouble.value)
        return response
