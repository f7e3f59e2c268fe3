"""What allauth leaves to us."""

from allauth.account import views
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out, and have the browser forget what it kept of our pages."""
    response: HttpResponse = views.logout(request)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
