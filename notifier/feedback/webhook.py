"""SES's events as SNS posts them, for projects without a function behind a queue, and Twilio's statuses.

Calls ``sns`` and ``twilio``, which verify, and ``recording``, which stores.

A refusal is a 4xx and says nothing: a forger learns nothing, and SNS's own messages are never refused. What
fails on our side is a 5xx, and SNS comes again.
"""

import logging

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .. import conf
from ..exceptions import MalformedMessage
from . import ses, sns, twilio
from .recording import record

logger = logging.getLogger(__name__)

# SNS takes 256 KiB; in its envelope each quote is two characters.
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_BYTES = 1024 * 1024
# https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
CONTENT_TYPE = "text/plain"
# Twilio's form has some twenty short fields.
MAX_FORM_BYTES, FORM = 64 * 1024, "application/x-www-form-urlencoded"


# What is recorded is so in a transaction of its own; a forger's message takes no connection to the database.
@transaction.non_atomic_requests
@csrf_exempt
@require_POST
def receive(request):
    """One message of our topic: an event of SES, or the question whether this address wants them."""
    topic_arn = conf.get("FEEDBACK_TOPIC_ARN")
    if not topic_arn:
        return HttpResponse(status=404)
    if request.content_type != CONTENT_TYPE:
        return HttpResponse(status=415)
    if _length(request) > MAX_BYTES:
        return HttpResponse(status=413)
    try:
        message = sns.verify(request.body, topic_arn)
        if message["Type"] == "SubscriptionConfirmation":
            sns.confirm(message, topic_arn)
        elif message["Type"] == "UnsubscribeConfirmation":
            logger.warning("Somebody has unsubscribed this address: nothing more is heard of mails.")
        elif report := ses.read_event(message["Message"]):
            record(report)
    except sns.NotFromSns as error:
        logger.warning("A message to the webhook was refused: it is %s.", error)
        return HttpResponse(status=403)
    except MalformedMessage as error:
        logger.error("A message of the topic is %s. It is dropped.", error)
        return HttpResponse(status=400)
    except sns.Unreachable as error:
        logger.warning("A message could not be verified and will come again: %s.", error)
        return HttpResponse(status=503)
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def receive_status(request):
    """One status of an SMS that Twilio has taken."""
    if not twilio.tokens():
        return HttpResponse(status=404)
    if request.content_type != FORM:
        return HttpResponse(status=415)
    if _length(request) > MAX_FORM_BYTES:
        return HttpResponse(status=413)
    try:
        twilio.verify(request)
    except twilio.NotFromTwilio:
        logger.warning("A status of an SMS was refused: the account's token has not signed it.")
        return HttpResponse(status=403)
    if report := twilio.read_status(request.POST, request.GET.get("delivery", "")):
        record(report)
    return HttpResponse(status=204)


def _length(request):
    """The length that the request says it has; a request that does not say has too much."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else MAX_BYTES + 1
