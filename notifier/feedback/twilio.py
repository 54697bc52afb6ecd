"""Twilio's word about a message that it had taken: posted to ``webhook`` for each change of its status.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
"""

import base64
import hmac
import logging
from typing import Any
from urllib.parse import urlsplit

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from .. import conf
from ..channels import credentials
from ..models import Feedback, Suppression
from .failures import Failure
from .reports import Report, delivery_id_of, key_of

logger = logging.getLogger(__name__)

CHANNEL = "sms"
NAME = "notifier_feedback_twilio"
# Twilio signs with the account's own token, also where messages are sent with an API key, whose secret then
# stands in TWILIO_AUTH_TOKEN. While the token is changed both may stand here, with a comma between them.
TOKENS = ("TWILIO_WEBHOOK_TOKEN", "TWILIO_AUTH_TOKEN")
SIGNATURE = "X-Twilio-Signature"
HTTPS_PORT = 443
# Any: see `deliveries.claims`.
Kind: Any = Feedback.Kind
Reason: Any = Suppression.Reason

# Each at https://www.twilio.com/docs/api/errors/<code>. Any other is a bounce that may pass.
FAILURES = {
    "21610": Failure("the person has answered STOP", Kind.REFUSED, permanent=True, suppress=Reason.OPTED_OUT),
    "21614": Failure("it is no mobile number", permanent=True, suppress=Reason.BOUNCED),
    "30001": Failure("too much waits at Twilio already", Kind.REFUSED, of_account=True),
    "30002": Failure("the account is suspended", Kind.REFUSED, of_account=True),
    "30003": Failure("the phone cannot be reached"),
    "30004": Failure("the phone or its carrier blocks it"),
    "30005": Failure("there is no such number any more", permanent=True, suppress=Reason.BOUNCED),
    "30006": Failure(
        "it is a landline, or its carrier cannot be reached", permanent=True, suppress=Reason.BOUNCED
    ),
    "30007": Failure("the carrier takes it for spam", Kind.REFUSED),
    "30008": Failure("nobody knows why"),
    "30010": Failure("it costs more than it may", Kind.REFUSED),
    "30022": Failure("the carrier takes no more of us a second", Kind.REFUSED, of_account=True),
    "30023": Failure("the carrier takes no more of us today", Kind.REFUSED, of_account=True),
    "30032": Failure("our toll-free number is not verified", Kind.REFUSED, of_account=True),
    "30034": Failure("our number is not registered with the carriers", Kind.REFUSED, of_account=True),
}
# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values; of the first nothing is
# kept, as the answer to the call has said so.
ON_ITS_WAY = {"accepted", "queued", "scheduled", "sending", "sent"}
DELIVERED = {"delivered", "read"}
FAILED = {"failed", "undelivered"}


class NotFromTwilio(Exception):
    """The request is refused."""


def status_url(delivery: int) -> str:
    """The address to which Twilio is to post the statuses of a delivery's message.

    Blank where the project has not included ``notifier.feedback.urls``, or has no address that Twilio takes.
    """
    return f"{url}?delivery={delivery}" if (url := _url()) else ""


def _url() -> str:
    base = conf.get("BASE_URL").rstrip("/")
    if not base.startswith("https://"):
        return ""
    try:
        return base + reverse(NAME)
    except NoReverseMatch:
        return ""


def tokens() -> list[str]:
    """What Twilio may sign with; empty where it is not known, and nothing is heard."""
    found = next(filter(None, map(credentials.read, TOKENS)), "")
    return [token for each in found.split(",") if (token := credentials.cleaned(each))]


def verify(request: Any) -> None:
    """Raise NotFromTwilio unless the account's token has signed the request's address and form.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security#validating-signatures-from-twilio
    """
    given = request.headers.get(SIGNATURE, "").encode()
    for url in _signed_urls(request):
        for token in tokens():
            if hmac.compare_digest(given, signature_of(url, request.POST, token).encode()):
                return
    raise NotFromTwilio


def signature_of(url: str, form: QueryDict, token: str) -> str:
    """The signature of a POST of ``form`` to ``url``."""
    fields = [name + value for name in sorted(form) for value in sorted(set(form.getlist(name)))]
    digest = hmac.digest(token.encode(), "".join([url, *fields]).encode(), "sha1")
    return base64.b64encode(digest).decode()


def _signed_urls(request: Any) -> set[str]:
    """The addresses that Twilio may have been given, whatever stands before this server: by the site's own
    and by the request's, with and without the port.
    """
    query = request.META.get("QUERY_STRING", "")
    urls = {f"{base}?{query}" if query else base for base in filter(None, [_url()])}
    urls.add(request.build_absolute_uri())
    for url in tuple(urls):
        parts = urlsplit(url)
        with_port = parts.netloc if parts.port else f"{parts.netloc}:{HTTPS_PORT}"
        urls |= {parts._replace(netloc=each).geturl() for each in (parts.hostname or "", with_port)}
    return urls


def read_status(form: QueryDict, delivery: str) -> Report | None:
    """The Report in a form that Twilio has posted about ``delivery``, as its address names it; None where it
    says nothing that is kept.
    """
    status, code = form.get("MessageStatus") or form.get("SmsStatus") or "", form.get("ErrorCode") or ""
    sid, number = form.get("MessageSid") or form.get("SmsSid") or "", form.get("To") or ""
    if status in ON_ITS_WAY or not sid:
        return None
    if status not in {*DELIVERED, *FAILED, "canceled"}:
        logger.info("Twilio has a status that is not known here. It is left out.")
        return None
    failure = _failure_of(status, code)
    now = timezone.now()
    return Report(
        channel=CHANNEL,
        kind=failure.kind,
        key=key_of("twilio", sid, status, code),
        message_id=sid,
        happened_at=now,
        sent_at=now,
        addresses=(number,) if number else (),
        delivery_id=delivery_id_of(delivery),
        detail=failure.words,
        permanent=failure.permanent,
        suppress=failure.suppress,
        of_account=failure.of_account,
    )


def _failure_of(status: str, code: str) -> Failure:
    if status in DELIVERED:
        return Failure("", Kind.DELIVERED)
    if status == "canceled":
        return Failure("it was cancelled at Twilio", Kind.REFUSED)
    number = code if code.isascii() and code.isdigit() and len(code) <= 5 else ""
    known = FAILURES.get(number) or Failure("it did not arrive")
    words = f"{known.words}{f' (Twilio’s error {number})' if number else ''}."
    return Failure(words, known.kind, known.permanent, known.suppress, known.of_account)
