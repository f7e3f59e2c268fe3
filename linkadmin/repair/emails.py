"""A repair request as an e-mail: plain text, and the same as HTML with the company's logo."""

from email.mime.image import MIMEImage
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from linkadmin.links.models import RepairRequest

from .messages import end_of, subject_of, with_url

LOGO = "logo"  # its Content-ID


def email(request: RepairRequest, address: str, url: str) -> EmailMultiAlternatives:
    language = request.language
    message = EmailMultiAlternatives(
        subject_of(request.link, language),
        with_url(request.message, url, language, until=request.expires_at),
        formataddr((settings.COMPANY_NAME, parseaddr(settings.MAIL_FROM)[1])),
        [address],
        headers={"Auto-Submitted": "auto-generated"},
    )
    context = {
        "company": settings.COMPANY_NAME,
        "logo": LOGO if settings.COMPANY_LOGO else "",
        "text": request.message,
        "url": url,
        "end": end_of(request.expires_at, language),
    }
    with translation.override(language):
        message.attach_alternative(render_to_string("repair/customer/email.html", context), "text/html")
    if logo := settings.COMPANY_LOGO:
        image = MIMEImage(logo.content, logo.kind)
        image.add_header("Content-ID", f"<{LOGO}>")
        image.add_header("Content-Disposition", "inline")
        message.attach(image)
    return message
