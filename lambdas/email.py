"""Mail by Amazon SES, through Anymail. Reports that SES sends later come back through
``lambdas.feedback``.
"""

import re
import time
import unicodedata
from contextlib import contextmanager
from email.utils import parseaddr
from functools import lru_cache

from anymail.backends.amazon_ses import EmailBackend as SESBackend
from anymail.exceptions import AnymailAPIError, AnymailError
from botocore.exceptions import ClientError
from django.core import mail as django_mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email

from notifier.channels.limits import Limit
from notifier.channels.message import Examination, Message, Problem
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.feedback.reports import DELIVERY_TAG
from notifier.templating.plaintext import html_to_text

from ._aws import NEVER_LEFT, make_client, single_request_config
from ._handler import make_handler
from ._mail_advice import MAX_HTML_BYTES, advise_on

# What people read for it; `notifier.channels.registry` finds these without importing this file.
LABEL = "E-mail"
VERB = "e-mail"
EXAMPLE = "ops@example.com"
MARK = "@"
ADDRESS_FIELD = "EmailField"
PARTS = ("subject", "text", "html")
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
ANSWERS = {
    "TooManyRequestsException": (TryAgain, "throttled"),
    "ThrottlingException": (TryAgain, "throttled"),
    "LimitExceededException": (TryAgain, "limit_exceeded"),
    "SendingPausedException": (TryAgain, "sending_paused"),
    "AccountSuspendedException": (Rejected, "account_suspended"),
    "MailFromDomainNotVerifiedException": (Rejected, "sender_not_verified"),
    "MessageRejected": (Rejected, "message_rejected"),
    "BadRequestException": (Rejected, "bad_request"),
    "NotFoundException": (Rejected, "not_found"),
    "AccessDeniedException": (Rejected, "access_denied"),
}
# An SMTP address. https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1
MAX_ADDRESS_CHARACTERS = 254
# What Django takes and nobody can read as anything else; to look at the others takes half as long as a mail.
PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
# $0.10 for 1,000, in millionths of a US dollar each. https://aws.amazon.com/ses/pricing/ (2025)
MICROS_PER_MAIL = 100
# SES has no token against doubles: a request that the SDK repeats after a slow reply is another mail.
CONNECT_SECONDS, READ_SECONDS = 3, 20
# SES answers in about 50 ms: 320 mails a second and function, as far as its rate allows.
CONCURRENCY = 16
# So long what the sweep has heard of the rate is kept: it asks every five minutes.
RATE_SECONDS = 5
# Says that no person wrote it, so that no vacation notice answers and no two machines talk to each other:
# https://www.rfc-editor.org/rfc/rfc3834#section-5 and, for Exchange, which goes by its own header,
# https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmail/ced68690-498a-4567-9d14-5c01f974d8b1
# (a report that a mail did not arrive, NDR, is wanted). Not `Precedence`, which RFC 3834 (3.1.8) does not
# recommend and which calls a receipt bulk mail; SES adds `Feedback-ID` itself.
AUTOMATIC = {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
}
# What its role may do, read by `manage.py stack` without importing this file. SES asks for `SendRawEmail`
# where Anymail calls SendEmail: https://anymail.dev/en/stable/esps/amazon_ses/#iam-permissions. Whether the
# address or its domain was verified is the account's
# affair; who the mail is from is not: https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
PERMISSIONS = [
    {
        "Sid": "SendMailAsTheSender",
        "Effect": "Allow",
        "Action": ["ses:SendEmail", "ses:SendRawEmail"],
        "Resource": [
            "arn:{partition}:ses:{region}:{account}:identity/*",
            "arn:{partition}:ses:{region}:{account}:configuration-set/{stack}",
        ],
        "Condition": {"StringEquals": {"ses:FromAddress": "{sender}"}},
    }
]


@contextmanager
def open_connection(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS):
    """A connection for mails one after the other. It never repeats a request by itself."""
    limits = single_request_config(connect_seconds, read_seconds)
    # MAILERS came with Django 6.1.
    by_name = getattr(django_mail, "mailers", None)
    connection = django_mail.get_connection() if by_name is None else by_name.default
    if isinstance(connection, SESBackend):
        parameters = connection.client_params
        parameters["config"] = parameters["config"].merge(limits)
        if not connection.session_params:
            # Its own way makes a session of boto3 for each connection.
            connection.client = make_client("sesv2", **parameters)
    with connection:
        yield connection


def send(message: Message, connection: BaseEmailBackend) -> str:
    """Send one mail, text with an HTML alternative; return SES's message id."""
    if says_nothing(message):
        raise Rejected("empty")
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        to=[checked(message.address)],
        headers=AUTOMATIC | unsubscribe_headers(message),
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    mail.esp_extra = {"EmailTags": [{"Name": DELIVERY_TAG, "Value": str(message.delivery)}]}
    try:
        connection.send_messages([mail])
    except AnymailAPIError as error:
        raise _answer(error.__cause__ or error) from None
    except AnymailError as error:
        raise Rejected("refused_here", type(error).__name__) from None
    # The mail is out: from here on nothing may fail. Only Anymail's backends tell the id.
    return getattr(getattr(mail, "anymail_status", None), "message_id", None) or ""


def says_nothing(message: Message) -> bool:
    """Whether there is neither a word nor a picture in either part."""
    html = message.html
    return not _has_words(message.text) and "<img" not in html.lower() and not _has_words(html_to_text(html))


def _has_words(text: str) -> bool:
    # Spaces and marks that nobody sees fill up what a mailbox shows of a mail.
    return any(unicodedata.category(each)[0] not in "ZC" for each in text)


def unsubscribe_headers(message):
    """The headers that a mail program makes its own button of: one POST, without a page.
    https://www.rfc-editor.org/rfc/rfc8058#section-3.1

    The two must be signed, which SES does by itself, and the address be one of https: without, there is no
    button, only the link.
    """
    if not message.unsubscribe_url.startswith("https://"):
        return {}
    return {
        "List-Unsubscribe": f"<{message.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def examine(message: Message) -> Examination:
    """The mail as clients and readers will take it, and what SES asks for it. Pure; never raises."""
    problems = []
    if not message.subject.strip():
        problems.append(
            Problem(
                part="subject",
                text="The subject is empty: clients show “(no subject)”, and spam filters mind.",
            )
        )
    if not _has_words(message.text):
        missing = (
            "The mail is empty: it would not be sent."
            if says_nothing(message)
            else "The HTML has no words to make a text part of."
        )
        problems.append(Problem(part="text", text=missing))
    if message.html.strip():
        problems += advise_on(message.html)
    return Examination(
        look="mail",
        problems=tuple(problems),
        length=-(-len(message.html.encode(errors="replace")) // 1024),
        limit=MAX_HTML_BYTES // 1024 if message.html else 0,
        unit="KB of HTML",
        cost_micros=price(message),
    )


def price(_message: Message) -> int:
    """The price that SES asks for a mail, in millionths of a US dollar."""
    return MICROS_PER_MAIL


def checked(address):
    """``address`` if a mail can be addressed to it. Raises Skipped."""
    is_short = len(address) <= MAX_ADDRESS_CHARACTERS
    if is_short and (PLAIN_ADDRESS.fullmatch(address) or _is_one(address)):
        return address
    raise Skipped("invalid_address", "Not a mail address.")


def _is_one(address):
    try:
        validate_email(address)
    except ValidationError:
        return False
    return parseaddr(address)[1] == address


def _answer(error):
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        kind, reason = ANSWERS.get(code, (OutcomeUnknown, "provider_error"))
        return kind(reason, code)
    if isinstance(error, NEVER_LEFT):
        return TryAgain("unreachable", type(error).__name__)
    return OutcomeUnknown("no_answer", type(error).__name__)


def read_rate() -> Limit | None:
    """The rate that SES takes of this account a second, as the sweep has heard last:
    https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html

    SES counts recipients; each of our mails has one. None before the sweep has asked: then SES says itself
    when it is too much.
    """
    return heard_rate(int(time.monotonic() / RATE_SECONDS))


@lru_cache(maxsize=1)
def heard_rate(_moment: int) -> Limit | None:
    from notifier.operations import gauges  # it has models, and above nobody has set up Django yet

    rate = gauges.value(gauges.SEND_RATE)
    return Limit(number=rate) if rate and rate > 0 else None


handler = make_handler(
    send,
    session=open_connection,
    at_most_once=False,
    horizon_hours=24,
    concurrency=CONCURRENCY,
    rate=read_rate,
)
