"""What belongs to no package: is this process ready to serve?"""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers."""
    connection.ensure_connection()
    return HttpResponse("ok\n", content_type="text/plain")
