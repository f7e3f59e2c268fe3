"""How a repair request reaches its customer. The message has its URL, so it's sent by the process that made it."""

from django.conf import settings

from linkadmin.accounts.external import mail
from linkadmin.accounts.external.mail import SendResult
from linkadmin.audit.log import Outcome
from linkadmin.links.contacts import contact_of
from linkadmin.links.models import CustomerContact, RepairRequest
from linkadmin.providers.types import Secret

from . import message_webhook
from .emails import email
from .tokens import url_of

Channel = RepairRequest.Channel


def channels_to(contact: CustomerContact) -> list[RepairRequest.Channel]:
    """Those that are set up and reach this customer, the best one first."""
    reaches = {
        Channel.EMAIL: settings.MAIL_SERVER and contact.email,
        Channel.WEBHOOK: settings.MESSAGE_WEBHOOK_URL and settings.MESSAGE_WEBHOOK_SECRET and contact.phone,
        Channel.COPY: True,
    }
    return [channel for channel, it_does in reaches.items() if it_does]


def deliver(request: RepairRequest, token: str, *, origin: str) -> SendResult:
    contact = contact_of(request.link.end_user)
    if request.channel not in channels_to(contact):
        return SendResult(Outcome.NOT_SENT)
    if request.channel == Channel.WEBHOOK:
        return message_webhook.post(request, contact.phone, token, origin=origin)
    return mail.send(email(request, contact.email, url_of(token, origin)), Secret(token))
